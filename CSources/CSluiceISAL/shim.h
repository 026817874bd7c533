#if __has_include(<isa-l.h>)
#include <isa-l.h>
#endif
