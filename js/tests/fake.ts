// A model without a kernel: values, listeners and what was sent.
import type { Model } from "../src/lib/model";

type Listener = (...args: unknown[]) => void;

export class FakeModel<T extends object> {
  readonly sent: unknown[] = [];
  private readonly listeners = new Map<string, Set<Listener>>();

  constructor(private readonly values: T) {}

  get = <K extends keyof T>(key: K): T[K] => this.values[key];

  set = <K extends keyof T>(key: K, value: T[K]): void => {
    this.values[key] = value;
    this.emit(`change:${String(key)}`);
  };

  on = (name: string, listener: Listener): void => {
    const known = this.listeners.get(name) ?? new Set();
    known.add(listener);
    this.listeners.set(name, known);
  };

  off = (name?: string | null, listener?: Listener | null): void => {
    if (name && listener) this.listeners.get(name)?.delete(listener);
  };

  emit(name: string, ...args: unknown[]): void {
    for (const listener of this.listeners.get(name) ?? []) listener(...args);
  }

  save_changes = (): void => undefined;

  send = (content: unknown): void => {
    this.sent.push(content);
  };

  /** How many listeners there are, of all names. */
  get listening(): number {
    return [...this.listeners.values()].reduce((sum, known) => sum + known.size, 0);
  }

  /** As what our logic takes. */
  get model(): Model<T> {
    return this as unknown as Model<T>;
  }
}
