// Durations in seconds, as people read them, and clocks that do not trust the browser's date.

/** "0:07", "12:40", "1:05:00": a countdown or a stop watch. Rounded down, never negative. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (value: number): string => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

/** "40 ms", "3.2 s", "1:05 min", "2:00:10 h": how long something took. */
export function duration(seconds: number): string {
  if (seconds < 0.9995) return `${Math.max(0, Math.round(seconds * 1000))} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${clock(whole)} ${whole < 3600 ? "min" : "h"}`;
}

/**
 * Seconds that Python told once and that go on by themselves, up (an elapsed time) or down (a countdown).
 *
 * The kernel may run on another machine whose clock differs from the browser's, so no date crosses the wire: only
 * spans do, and the browser's monotonic clock counts from the moment they came.
 */
export class Span {
  private told = 0;
  private at = 0;

  constructor(private readonly direction: 1 | -1) {}

  /** Python said `seconds` at `now` (milliseconds of a monotonic clock). */
  tell(seconds: number, now: number): void {
    this.told = seconds;
    this.at = now;
  }

  /** The span at `now`, never negative. */
  read(now: number): number {
    return Math.max(0, this.told + (this.direction * (now - this.at)) / 1000);
  }
}

/** Call `listener` every `milliseconds` until `signal` aborts. */
export function every(milliseconds: number, listener: () => void, signal: AbortSignal): void {
  if (signal.aborted) return;
  const timer = setInterval(listener, milliseconds);
  signal.addEventListener("abort", () => clearInterval(timer));
}
