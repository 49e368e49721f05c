// The model that Python and all views of one widget share, behind the few methods that we use.
import type { AnyModel } from "@anywidget/types";

/** What our logic needs of a model; a test's fake one is thirty lines. */
export type Model<T extends object> = Pick<AnyModel<T>, "get" | "set" | "on" | "off" | "save_changes" | "send">;

/** Call `listener` now and whenever one of `keys` changes, until `signal` aborts. */
export function watch<T extends object>(
  model: Model<T>,
  keys: readonly (keyof T & string)[],
  listener: () => void,
  signal: AbortSignal,
): void {
  if (signal.aborted) return;
  for (const key of keys) model.on(`change:${key}`, listener);
  signal.addEventListener("abort", () => {
    for (const key of keys) model.off(`change:${key}`, listener);
  });
  listener();
}

/**
 * Whether the kernel still listens. Jupyter's models say so by `comm_live`; a host whose models do not is taken at
 * its word that the widget lives.
 */
export function isLive(model: object): boolean {
  return (model as { comm_live?: unknown }).comm_live !== false;
}

/** Call `listener` when the kernel goes away or comes back. */
export function watchLive(model: object, listener: () => void, signal: AbortSignal): void {
  const emitter = model as { on?: (name: string, f: () => void) => void; off?: (name: string, f: () => void) => void };
  if (signal.aborted || typeof emitter.on !== "function") return;
  emitter.on("comm_live_update", listener);
  signal.addEventListener("abort", () => emitter.off?.("comm_live_update", listener));
}
