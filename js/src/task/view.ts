// What the task card says. Mirrors the traits of TaskCard in jupyter_arkitekt/widgets/_task.py.

export type TaskState = "idle" | "waiting" | "running" | "cancelling" | "done" | "failed" | "cancelled" | "lost";

export interface LogLine {
  level: string;
  text: string;
}

export interface TaskTraits {
  /** "idle" hides the card: there is no task yet. */
  state: TaskState;
  /** The function's name. */
  name: string;
  /** 0 … 100, or null when the function never said how far it is. */
  progress: number | null;
  /** The last message beside the progress. */
  message: string;
  logs: LogLine[];
  /** How many older lines are not in `logs`. */
  dropped: number;
  /** What went wrong in one sentence, what was said in detail, and what to do. */
  error: string;
  detail: string;
  remedy: string;
  /** Seconds since the call, as of the moment Python said so. */
  elapsed: number;
  can_cancel: boolean;
}

export interface TaskFace {
  word: string;
  tone: "wait" | "good" | "bad" | "quiet";
  over: boolean;
  /** The bar: null draws it without a value, undefined not at all. */
  bar: number | null | undefined;
  showCancel: boolean;
}

const WORDS: Record<TaskState, string> = {
  idle: "",
  waiting: "Waiting for a place to run",
  running: "Running",
  cancelling: "Cancelling",
  done: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
  lost: "Lost: the place that ran it went away",
};
const OVER: ReadonlySet<TaskState> = new Set(["done", "failed", "cancelled", "lost"]);

/** Return the card's words for `traits`; `live` is false when the kernel is gone. */
export function face(traits: TaskTraits, live: boolean): TaskFace {
  const over = OVER.has(traits.state);
  const active = !over && traits.state !== "idle";
  if (active && !live) {
    return { word: "The kernel is gone; the task may still run", tone: "bad", over: true, bar: traits.progress ?? undefined, showCancel: false };
  }
  return {
    word: WORDS[traits.state],
    tone: active ? "wait" : traits.state === "done" ? "good" : traits.state === "cancelled" ? "quiet" : "bad",
    over,
    bar: active ? traits.progress : traits.state === "done" ? undefined : (traits.progress ?? undefined),
    showCancel: active && traits.can_cancel && traits.state !== "cancelling",
  };
}

/** "Log (3 lines)", "Log (120 lines, 2 of them warnings or errors)". */
export function logTitle(logs: readonly LogLine[], dropped: number): string {
  const total = logs.length + dropped;
  const loud = logs.filter((line) => isLoud(line.level)).length;
  const counted = `${total} ${total === 1 ? "line" : "lines"}`;
  return loud > 0 ? `Log (${counted}, ${loud} of them warnings or errors)` : `Log (${counted})`;
}

/** Whether a line of this level should catch the eye. */
export function isLoud(level: string): boolean {
  return /^(warn|error|critical|fatal)/i.test(level);
}
