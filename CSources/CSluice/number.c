// Numbers: how long a number is, what it is worth, and how it is written.
//
// The argument:
//
// (1) Digits are read and written eight at a time, as the bytes of one 64-bit word. Words are read so that they end
//     with the text at the latest: nothing behind it is touched, and no padding is needed.
// (2) A decimal w * 10^q with w <= 2^53 and |q| <= 22 is one exact double times or by another: the processor rounds
//     once, and correctly (W. D. Clinger, How to Read Floating Point Numbers Accurately, 1990).
// (3) Else w is multiplied by the 128 bits of 10^q in the table (D. Lemire, Number Parsing at a Gigabyte per Second,
//     2021). Of the product, 192 bits, the upper 128 are kept. The table's entry is off by less than one in its last
//     place, and so is the cut; either is worth less than one unit of what is kept. So the true value lies between one
//     unit below it and two above, and unless a point halfway between two doubles lies there, too, rounding is decided.
// (4) A text of more than 19 digits lies between its first 19, w, and w + 1. If both round alike, so does the text.
// (5) What is left is compared with the halfway point in whole numbers. A halfway point has at most 768 significant
//     digits, so of the digits behind the first 800 it only matters whether all are zeros.
// (6) Printing scales the double and the two ends of the interval that rounds to it by one power of ten, 10^-k. 10^k is
//     the greatest that is no wider than the interval, so a multiple of it lies there, and of 10^(k+1) one at most, or
//     both neighbours (R. Giulietti, The Schubfach Way to Render Doubles, 2020; it proves that the table has the bits
//     that this needs).
//
// No locale, no allocation, no rounding mode but the default one.

#include "include/sluice_number.h"

#include <assert.h>
#include <string.h>

#include "digits.h"
#include "number_table.h"

__extension__ typedef unsigned __int128 uint128;

#define FRACTION_BITS 52
#define HIDDEN_BIT (UINT64_C(1) << FRACTION_BITS)
#define INFINITY_BITS (UINT64_C(0x7FF) << FRACTION_BITS)
#define MAX_WORD_DIGITS 19  // so many digits always fit 64 bits

static const uint64_t small_powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};

static inline power_of_ten power(int exponent) { return powers_of_ten[exponent - POWER_FIRST]; }

// floor(log2(10^exponent)), for exponents of the table.
static inline int floor_log2_of_power(int exponent) { return (exponent * 217706) >> 16; }

// --- Digits, eight at a time (1) ---

// A text with at least 8 readable bytes before its end: its own, or those of a word that it is moved to if it is
// shorter. So words are read up to its end without a branch, and without a byte from behind it.
typedef struct reader {
    const uint8_t *text;
    const uint8_t *end;
    uint64_t moved;
} reader;

// The bytes of a text of less than 8, the last one highest.
static inline uint64_t load_short(const uint8_t *text, size_t length) {
    if (length >= 4) {
        uint32_t head, tail;
        memcpy(&head, text, 4);
        memcpy(&tail, text + length - 4, 4);
        return (uint64_t)tail << 32 | (uint64_t)head << (8 * (8 - length));
    }
    if (length == 0) return 0;
    // Bytes 0, 1 and 2 of three, 0, 1 and 1 of two, 0, 0 and 0 of one.
    return (uint64_t)text[length - 1] << 56 | (uint64_t)text[length / 2] << (8 * (8 - length + length / 2)) |
           (uint64_t)text[0] << (8 * (8 - length));
}

// `r` is where the text will stay: it may point into itself.
static inline void open_reader(reader *r, const uint8_t *text, size_t length) {
    r->text = text;
    r->end = text + length;
    if (length >= 8) return;
    r->moved = load_short(text, length);
    r->end = (const uint8_t *)&r->moved + 8;
    r->text = r->end - length;
}

// The next 8 bytes, the first one lowest; zeros for those behind the end. Digits are turned into their values.
static inline uint64_t load_digits(const uint8_t *text, const uint8_t *end) {
    const uint8_t *const last = end - 8;
    const uint8_t *const from = text < last ? text : last;
    const unsigned half_shift = 4 * (unsigned)(text - from);
    uint64_t word;
    memcpy(&word, from, 8);
    return word >> half_shift >> half_shift ^ EVERY_BYTE('0');  // in two steps, since a shift by 64 is undefined
}

static inline unsigned index_of_first(uint64_t bytes) { return (unsigned)__builtin_ctzll(bytes) / 8; }

// The eight digits of a number below 10^8, the first one lowest, as values.
static inline uint64_t split_digits(uint32_t number) {
    // Fours, pairs, digits: the quotient stays in the lower half of each lane, the remainder goes to the upper.
    // Division is multiplication by a reciprocal that is exact for the values that occur.
    const uint64_t fours = number / 10000 | (uint64_t)(number % 10000) << 32;
    const uint64_t hundreds = (fours * 10486 >> 20) & UINT64_C(0x0000007F0000007F);
    const uint64_t pairs = hundreds | (fours - hundreds * 100) << 16;
    const uint64_t tens = (pairs * 103 >> 10) & UINT64_C(0x000F000F000F000F);
    return tens | (pairs - tens * 10) << 8;
}

// The end of the digits that `text` starts with.
static inline const uint8_t *skip_digits(const uint8_t *text, const uint8_t *end) {
    uint64_t others;
    while ((others = find_others(load_digits(text, end))) == 0) text += 8;
    return text + index_of_first(others);
}

// The same, and appends the digits to `*number`, modulo 2^64.
static inline const uint8_t *read_digits(const uint8_t *text, const uint8_t *end, uint64_t *number) {
    for (;;) {
        const uint64_t digits = load_digits(text, end);
        const uint64_t others = find_others(digits);
        if (others != 0) {
            const unsigned count = index_of_first(others);
            *number = *number * small_powers[count] + join_digits(digits, count);
            return text + count;
        }
        *number = *number * 100000000 + join_digits(digits, 8);
        text += 8;  // a constant, so that the next word need not wait for this one
    }
}

// --- Length ---

// The end of the digits that must follow `text`; NULL where there are none.
static inline const uint8_t *skip_some_digits(const uint8_t *text, const uint8_t *end) {
    const uint8_t *behind = skip_digits(text, end);
    return behind == text ? NULL : behind;
}

size_t sluice_number_length(const uint8_t *text, size_t length) {
    reader r;
    open_reader(&r, text, length);
    text = r.text;
    const uint8_t *const end = r.end;
    const uint8_t *p = text;
    if (p < end && *p == '-') ++p;
    p = p < end && *p == '0' ? p + 1 : skip_some_digits(p, end);
    if (p == NULL) return 0;
    if (p < end && *p == '.') {
        const uint8_t *fraction = skip_some_digits(p + 1, end);
        if (fraction == NULL) return (size_t)(p - text);
        p = fraction;
    }
    if (p < end && (*p | 0x20) == 'e') {
        const uint8_t *exponent = p + 1;
        if (exponent < end && (*exponent == '+' || *exponent == '-')) ++exponent;
        exponent = skip_some_digits(exponent, end);
        if (exponent != NULL) p = exponent;
    }
    return (size_t)(p - text);
}

// --- Parsing integers ---

bool sluice_parse_int64(const uint8_t *text, size_t length, int64_t *value) {
    const bool negative = length > 0 && *text == '-';
    const size_t count = length - negative;
    if (count == 0 || count > MAX_WORD_DIGITS) return false;
    if (text[negative] == '0' && count > 1) return false;
    reader r;
    open_reader(&r, text, length);
    uint64_t number = 0;
    if (read_digits(r.text + negative, r.end, &number) != r.end) return false;
    if (number > (uint64_t)INT64_MAX + negative) return false;
    *value = (int64_t)(negative ? 0 - number : number);
    return true;
}

// --- Parsing doubles: the text ---

// A number as read: significand * 10^exponent.
typedef struct decimal {
    const uint8_t *digits;  // all its digits and a point somewhere among them
    const uint8_t *end;
    uint64_t significand;  // its first MAX_WORD_DIGITS digits at most, from the first that is no zero
    int64_t exponent;
    bool negative;
    bool truncated;  // more digits follow
} decimal;

// Reads what must be an exponent and all that is left. Far out it is inexact, but no text is so long that its digits
// could make up for that.
static bool read_exponent(const uint8_t *text, const uint8_t *end, int64_t *exponent) {
    if ((*text++ | 0x20) != 'e') return false;
    const bool negative = text < end && *text == '-';
    if (text < end && (*text == '+' || *text == '-')) ++text;
    if (text == end) return false;
    int64_t number = 0;
    for (; text < end; ++text) {
        const uint8_t digit = (uint8_t)(*text - '0');
        if (digit > 9) return false;
        if (number < INT64_MAX / 100) number = number * 10 + digit;
    }
    *exponent += negative ? -number : number;
    return true;
}

// For a decimal of so many digits that they may not fit the significand.
static void take_first_digits(decimal *d) {
    uint64_t significand = 0;
    int64_t taken = 0;
    int64_t left = 0;
    for (const uint8_t *p = d->digits; p < d->end; ++p) {
        if (*p == '.' || (taken == 0 && *p == '0')) continue;
        if (taken == MAX_WORD_DIGITS) {
            ++left;
        } else {
            significand = significand * 10 + (uint8_t)(*p - '0');
            ++taken;
        }
    }
    d->significand = significand;
    d->exponent += left;
    d->truncated = left > 0;
}

static inline bool read_decimal(const uint8_t *text, const uint8_t *end, decimal *d) {
    d->negative = text < end && *text == '-';
    text += d->negative;
    d->digits = text;
    d->significand = 0;
    d->exponent = 0;
    d->truncated = false;

    text = read_digits(text, end, &d->significand);
    ptrdiff_t count = text - d->digits;  // that may be significant
    if (count == 0) return false;
    if (*d->digits == '0' && count-- > 1) return false;
    if (text < end && *text == '.') {
        const uint8_t *const fraction = text + 1;
        text = read_digits(fraction, end, &d->significand);
        if (text == fraction) return false;
        d->exponent = fraction - text;
        count += text - fraction;
    }
    d->end = text;
    if (text < end && !read_exponent(text, end, &d->exponent)) return false;
    if (count > MAX_WORD_DIGITS) take_first_digits(d);
    return true;
}

// --- Parsing doubles: rounding by the table (3) ---

typedef enum direction { DOWN, UP, UNDECIDED } direction;

// A positive real number, between a double and the next.
typedef struct rounding {
    uint64_t below;  // bits of the greatest double that is not greater
    direction direction;
} rounding;

static inline uint64_t rounded(rounding r) { return r.below + (r.direction == UP); }

// Which way to round `kept` when `rest` was cut off of it, `half` being half of the last unit kept. `more`: what was
// cut off is greater than `rest` shows.
static inline direction direction_if_exact(uint64_t kept, uint64_t rest, uint64_t half, bool more) {
    return rest > half || (rest == half && (more || (kept & 1))) ? UP : DOWN;
}

// The same where rest * 2^64 + low was cut off, which may be one unit too great or two too small.
static inline direction direction_if_near(uint64_t rest, uint64_t low, uint64_t half) {
    if ((rest == half && low == 0) || (rest == half - 1 && low == UINT64_MAX)) return UNDECIDED;
    return rest >= half ? UP : DOWN;
}

// Rounds significand * 10^exponent. The exponent is one of the table, the significand not 0.
static inline rounding round_decimal(uint64_t significand, int exponent) {
    const power_of_ten factor = power(exponent);
    const int zeros = __builtin_clzll(significand);
    significand <<= zeros;
    const uint128 low_product = (uint128)significand * factor.low;
    const uint128 product = (uint128)significand * factor.high + (uint64_t)(low_product >> 64);

    const int top = (int)(product >> 127);  // the product has 127 bits or 128
    const int biased = 1023 + 63 + floor_log2_of_power(exponent) - zeros + top;
    if (biased >= 0x7FF) return (rounding){INFINITY_BITS, DOWN};
    const int subnormal = biased < 1 ? 1 - biased : 0;
    const int cut = 64 - FRACTION_BITS - 2 + top + subnormal;  // bits of `high` that are not kept
    if (cut >= 64) return (rounding){0, UNDECIDED};

    const uint64_t high = (uint64_t)(product >> 64);
    const uint64_t low = (uint64_t)product;
    const uint64_t kept = high >> cut;
    const uint64_t half = UINT64_C(1) << (cut - 1);
    const uint64_t rest = high & (half * 2 - 1);
    rounding result;
    // Adding the significand with its hidden bit to an exponent that is one too small makes the right one.
    result.below = ((uint64_t)(biased + subnormal - 1) << FRACTION_BITS) + kept;
    result.direction = exponent >= 0 && exponent <= POWER_LAST_EXACT
                           ? direction_if_exact(kept, rest, half, (low | (uint64_t)low_product) != 0)
                           : direction_if_near(rest, low, half);
    return result;
}

// --- Parsing doubles: rounding by whole numbers (5) ---

#define EXACT_DIGITS 800

// A whole number, lowest limb first, without zeros in front. The largest that occurs is near 10^800, which takes 2658
// bits: powers of two that both sides of a comparison have are left out, and the two are nearly equal or small.
#define BIG_LIMBS 48
typedef struct big {
    unsigned count;
    uint64_t limbs[BIG_LIMBS];
} big;

static void big_multiply_add(big *number, uint64_t factor, uint64_t addend) {
    uint64_t carry = addend;
    for (unsigned i = 0; i < number->count; ++i) {
        const uint128 product = (uint128)number->limbs[i] * factor + carry;
        number->limbs[i] = (uint64_t)product;
        carry = (uint64_t)(product >> 64);
    }
    if (carry == 0) return;
    assert(number->count < BIG_LIMBS);
    number->limbs[number->count++] = carry;
}

static void big_multiply_power_of_five(big *number, int64_t exponent) {
    const uint64_t five_to_27 = UINT64_C(7450580596923828125);  // the largest that 64 bits hold
    for (; exponent >= 27; exponent -= 27) big_multiply_add(number, five_to_27, 0);
    for (; exponent > 0; --exponent) big_multiply_add(number, 5, 0);
}

static void big_shift_left(big *number, int64_t bits) {
    const unsigned limbs = (unsigned)(bits / 64);
    big_multiply_add(number, UINT64_C(1) << (bits % 64), 0);
    assert(number->count + limbs <= BIG_LIMBS);
    memmove(number->limbs + limbs, number->limbs, number->count * sizeof number->limbs[0]);
    memset(number->limbs, 0, limbs * sizeof number->limbs[0]);
    number->count += limbs;
}

static int big_compare(const big *a, const big *b) {
    if (a->count != b->count) return a->count < b->count ? -1 : 1;
    for (unsigned i = a->count; i-- > 0;) {
        if (a->limbs[i] != b->limbs[i]) return a->limbs[i] < b->limbs[i] ? -1 : 1;
    }
    return 0;
}

// The first EXACT_DIGITS digits of `d` as a whole number, and the power of ten that it is to be multiplied by. Answers
// whether a digit behind them is no zero.
static bool big_from_decimal(const decimal *d, big *number, int64_t *exponent) {
    *exponent = d->exponent;
    *number = (big){.count = 1, .limbs = {d->significand}};
    if (!d->truncated) return false;

    number->count = 0;
    int64_t taken = 0;
    for (const uint8_t *p = d->digits; p < d->end; ++p) {
        if (*p == '.' || (taken == 0 && *p == '0')) continue;
        if (taken < EXACT_DIGITS) {
            big_multiply_add(number, 10, (uint8_t)(*p - '0'));
            ++taken;
        } else if (*p != '0') {
            *exponent -= taken - MAX_WORD_DIGITS;
            return true;
        }
    }
    *exponent -= taken - MAX_WORD_DIGITS;
    return false;
}

// Rounds `d`, which is known to lie between the double `below` and the next, by comparing it with the point halfway.
static direction direction_by_comparison(const decimal *d, uint64_t below) {
    big number;
    int64_t exponent;
    const bool more = big_from_decimal(d, &number, &exponent);

    // Halfway is (2 * below + 1) * 2^halfway_exponent, in whole numbers.
    const uint64_t biased = below >> FRACTION_BITS;
    const uint64_t significand = biased == 0 ? below : (below & (HIDDEN_BIT - 1)) | HIDDEN_BIT;
    const int64_t halfway_exponent = (int64_t)(biased == 0 ? 1 : biased) - 1023 - FRACTION_BITS - 1;
    big halfway = {.count = 1, .limbs = {2 * significand + 1}};

    big_multiply_power_of_five(exponent > 0 ? &number : &halfway, exponent > 0 ? exponent : -exponent);
    const int64_t shift = exponent - halfway_exponent;
    big_shift_left(shift > 0 ? &number : &halfway, shift > 0 ? shift : -shift);

    const int order = big_compare(&number, &halfway);
    return order > 0 || (order == 0 && (more || (below & 1))) ? UP : DOWN;
}

// --- Parsing doubles ---

static uint64_t bits_of_decimal(const decimal *d) {
    if (d->significand == 0 || d->exponent < POWER_FIRST) return 0;
    if (d->exponent > 308) return INFINITY_BITS;
    const int exponent = (int)d->exponent;
    rounding r = round_decimal(d->significand, exponent);
    if (d->truncated && rounded(round_decimal(d->significand + 1, exponent)) != rounded(r)) r.direction = UNDECIDED;
    if (r.direction == UNDECIDED) r.direction = direction_by_comparison(d, r.below);
    return rounded(r);
}

static const double exact_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

bool sluice_parse_double(const uint8_t *text, size_t length, double *value) {
    reader r;
    open_reader(&r, text, length);
    decimal d;
    if (!read_decimal(r.text, r.end, &d)) return false;
    double magnitude;
    if (d.significand <= HIDDEN_BIT * 2 && d.exponent >= -22 && d.exponent <= 22 && !d.truncated) {  // (2)
        magnitude = (double)d.significand;
        magnitude = d.exponent < 0 ? magnitude / exact_powers[-d.exponent] : magnitude * exact_powers[d.exponent];
    } else {
        const uint64_t bits = bits_of_decimal(&d);
        memcpy(&magnitude, &bits, sizeof magnitude);
    }
    *value = d.negative ? -magnitude : magnitude;
    return true;
}

// --- Printing integers ---

static inline void store(uint8_t *out, uint64_t word) { memcpy(out, &word, 8); }

static inline void print_8_digits(uint32_t number, uint8_t *out) {
    store(out, split_digits(number) | EVERY_BYTE('0'));
}

// Writes a number below 10^8 without zeros in front (and rubbish behind, 8 bytes in all).
static inline size_t print_up_to_8_digits(uint32_t number, uint8_t *out) {
    const uint64_t digits = split_digits(number);
    const unsigned zeros = index_of_first(digits | UINT64_C(1) << 56);  // the last zero is a digit
    store(out, (digits | EVERY_BYTE('0')) >> (8 * zeros));
    return 8 - zeros;
}

size_t sluice_print_int64(int64_t value, uint8_t *out) {
    uint8_t *p = out;
    *p = '-';
    p += value < 0;
    const uint64_t number = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    const uint64_t upper = number / 100000000;
    if (upper == 0) return (size_t)(p - out) + print_up_to_8_digits((uint32_t)number, p);
    const uint64_t top = upper / 100000000;
    if (top == 0) {
        p += print_up_to_8_digits((uint32_t)upper, p);
    } else {
        p += print_up_to_8_digits((uint32_t)top, p);
        print_8_digits((uint32_t)(upper % 100000000), p);
        p += 8;
    }
    print_8_digits((uint32_t)(number % 100000000), p);
    return (size_t)(p - out) + 8;
}

// --- Printing doubles: the digits (6) ---

// digits * 10^exponent
typedef struct shortest {
    uint64_t digits;
    int exponent;
} shortest;

// The upper 64 bits of number * factor, with the lowest bit set where the rest is not zero: all that comparing with
// whole numbers needs. The factor was rounded up, so a rest of one unit may stand for zero.
static inline uint64_t scale(uint64_t number, power_of_ten factor) {
    const uint64_t carry = (uint64_t)((uint128)number * factor.low >> 64);
    const uint128 product = (uint128)number * factor.high + carry;
    return (uint64_t)(product >> 64) | ((uint64_t)product > 1);
}

// The shortest decimal that rounds to the positive double with these bits. It may end in zeros.
static inline shortest shortest_of_bits(uint64_t bits) {
    const uint64_t fraction = bits & (HIDDEN_BIT - 1);
    const int biased = (int)(bits >> FRACTION_BITS);
    const uint64_t significand = biased == 0 ? fraction : fraction | HIDDEN_BIT;
    const int exponent = (biased == 0 ? 1 : biased) - 1023 - FRACTION_BITS;
    // At a power of two the doubles below stand closer. Ends of the interval belong to it if the significand is even.
    const bool uneven = fraction == 0 && biased > 1;
    const uint64_t open = significand & 1;

    // 10^k is the greatest power of ten that is no wider than the interval.
    const int k = (exponent * 1262611 - (uneven ? 524031 : 0)) >> 22;
    power_of_ten factor = power(-k);
    factor.low += -k > POWER_LAST_EXACT;  // those entries were rounded down
    const int shift = exponent + floor_log2_of_power(-k) + 1;
    const uint64_t center = scale(significand * 4 << shift, factor);
    const uint64_t lower = scale((significand * 4 - 2 + uneven) << shift, factor) + open;
    const uint64_t upper = scale((significand * 4 + 2) << shift, factor) - open;

    // All in quarters of 10^k. First one power of ten higher (6): if one neighbour lies in the interval, it is the
    // shortest. The best of the digits below is right in all other cases.
    const uint64_t digits = center / 4;
    const uint64_t tens = digits / 10;
    const bool tens_down = lower <= 40 * tens;
    const bool tens_up = 40 * tens + 40 <= upper;
    if (digits >= 10 && tens_down != tens_up) return (shortest){(tens + tens_up) * 10, k};

    const bool down = lower <= 4 * digits;
    const bool up = 4 * digits + 4 <= upper;
    const uint64_t rest = center - 4 * digits;
    const bool nearer_up = rest > 2 || (rest == 2 && (digits & 1));
    return (shortest){digits + (down != up ? up : nearer_up), k};
}

// --- Printing doubles: the text ---

#define SHORTEST_DIGITS 17

// 17 digits and their point: 0.ddd * 10^point
typedef struct digit_text {
    uint8_t digits[32];  // zeros behind the digits
    int count;           // without zeros at the end
    int point;
} digit_text;

static inline digit_text text_of_digits(shortest number) {
    const uint64_t ten_to_16 = UINT64_C(10000000000000000);
    const bool one_less = number.digits < ten_to_16;  // a coin's toss: no branch
    number.digits *= one_less ? 10 : 1;
    number.exponent -= one_less;
    while (number.digits < ten_to_16) {  // subnormals only
        number.digits *= 10;
        --number.exponent;
    }
    const uint64_t behind_first = number.digits % ten_to_16;
    const uint64_t upper = split_digits((uint32_t)(behind_first / 100000000));
    const uint64_t lower = split_digits((uint32_t)(behind_first % 100000000));

    digit_text text;
    text.digits[0] = (uint8_t)('0' + number.digits / ten_to_16);
    store(text.digits + 1, upper | EVERY_BYTE('0'));
    store(text.digits + 9, lower | EVERY_BYTE('0'));
    store(text.digits + 17, EVERY_BYTE('0'));
    store(text.digits + 24, EVERY_BYTE('0'));
    text.count = lower != 0 ? SHORTEST_DIGITS - __builtin_clzll(lower) / 8
                            : SHORTEST_DIGITS - 8 - (upper != 0 ? __builtin_clzll(upper) / 8 : 8);
    text.point = number.exponent + SHORTEST_DIGITS;
    return text;
}

// Writes "1234.5" or "1234.0".
static inline size_t print_with_point(const digit_text *text, uint8_t *out) {
    const int point = text->point;
    memcpy(out, text->digits, 16);
    out[point] = '.';
    memcpy(out + point + 1, text->digits + point, 8);
    if (point <= 8) memcpy(out + point + 9, text->digits + point + 8, 8);
    return (size_t)(point < text->count ? text->count : point + 1) + 1;
}

// Writes "0.0012345".
static inline size_t print_fraction(const digit_text *text, uint8_t *out) {
    const int start = 2 - text->point;
    memcpy(out, "0.000000", 8);
    memcpy(out + start, text->digits, 16);
    out[start + 16] = text->digits[16];
    return (size_t)(start + text->count);
}

// Writes "1.2345e-12".
static inline size_t print_with_exponent(const digit_text *text, uint8_t *out) {
    out[0] = text->digits[0];
    out[1] = '.';
    memcpy(out + 2, text->digits + 1, 16);
    uint8_t *p = out + (text->count == 1 ? 1 : text->count + 1);
    const int exponent = text->point - 1;
    const unsigned magnitude = (unsigned)(exponent < 0 ? -exponent : exponent);
    *p++ = 'e';
    *p++ = exponent < 0 ? '-' : '+';
    if (magnitude >= 100) *p++ = (uint8_t)('0' + magnitude / 100);
    *p++ = (uint8_t)('0' + magnitude / 10 % 10);
    *p++ = (uint8_t)('0' + magnitude % 10);
    return (size_t)(p - out);
}

size_t sluice_print_double(double value, uint8_t *out) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    const size_t sign = bits >> 63;
    *out = '-';
    out += sign;
    bits &= INT64_MAX;
    if (bits == 0) {
        memcpy(out, "0.0", 3);
        return sign + 3;
    }
    const digit_text text = text_of_digits(shortest_of_bits(bits));
    if (text.point > 16 || text.point < -3) return sign + print_with_exponent(&text, out);
    return sign + (text.point > 0 ? print_with_point(&text, out) : print_fraction(&text, out));
}
