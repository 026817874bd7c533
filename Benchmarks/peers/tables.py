"""What bench.py measured, as tables: from the "jobs" of its JSON."""

import statistics


def table(columns, rows):
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def programs(jobs):
    """Seconds of the process, of a peer's statement alone, CPU seconds, peak memory."""
    rows = []
    for job in jobs:
        for one in job["programs"]:
            def median(key):
                return statistics.median(run[key] for run in one["runs"])
            rows.append([job["title"], one["label"], f"{one['median']:.3f}",
                         f"{min(run['seconds'] for run in one['runs']):.3f}", f"{median('statement'):.3f}",
                         f"{median('cpu'):.3f}", f"{one['peak_mib']:.0f}"])
    return table(["job", "program", "median", "best", "statement", "CPU", "peak MiB"], rows)


def bars(jobs):
    """What was asked for: a ratio of medians with the median of the paired ratios and the worst pair, or a figure."""
    rows = [[job["title"], bar["what"], reached(bar), f"{'≥' if bar['at_least'] else '≤'} {bar['limit']:g}",
             ("yes" if bar["met"] else "**NO**") + ("" if bar["judged"] else " (not judged)")]
            for job in jobs for bar in job["bars"]]
    return table(["job", "times …", "is", "must be", "met"], rows) if rows else ""


def reached(bar):
    text = f"{bar['value']:.2f}"
    if bar["pairs"]:
        worst = min(bar["pairs"]) if bar["at_least"] else max(bar["pairs"])
        text += f" ({statistics.median(bar['pairs']):.2f}, {worst:.2f})"
    return text


def missed(jobs):
    return [f"{job['title']}: {bar['what']}" for job in jobs for bar in job["bars"] if bar["judged"] and not bar["met"]]
