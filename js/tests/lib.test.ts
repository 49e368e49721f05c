import { describe, expect, test, vi } from "vitest";

import { isLive, watch, watchLive } from "../src/lib/model";
import { clock, duration, every, Span } from "../src/lib/time";
import { FakeModel } from "./fake";

describe("a watched model", () => {
  test("is drawn once at first, then at each change of a named trait, and no more after the abort", () => {
    const fake = new FakeModel({ state: "a", other: 1 });
    const view = new AbortController();
    const draw = vi.fn();
    watch(fake.model, ["state"], draw, view.signal);
    expect(draw).toHaveBeenCalledTimes(1);
    fake.set("state", "b");
    fake.set("other", 2);
    expect(draw).toHaveBeenCalledTimes(2);
    view.abort();
    fake.set("state", "c");
    expect(draw).toHaveBeenCalledTimes(2);
    expect(fake.listening).toBe(0);
  });

  test("is live unless its host says otherwise", () => {
    const fake = Object.assign(new FakeModel({}), { comm_live: true });
    const view = new AbortController();
    const gone = vi.fn();
    expect(isLive({})).toBe(true);
    expect(isLive(fake)).toBe(true);
    watchLive(fake, gone, view.signal);
    fake.comm_live = false;
    fake.emit("comm_live_update");
    expect(gone).toHaveBeenCalledOnce();
    expect(isLive(fake)).toBe(false);
    view.abort();
    expect(fake.listening).toBe(0);
  });
});

describe("time", () => {
  test.each([
    [-3, "0:00"],
    [7.9, "0:07"],
    [760, "12:40"],
    [3900, "1:05:00"],
  ])("a clock shows %d s as %s", (seconds, text) => expect(clock(seconds)).toBe(text));

  test.each([
    [0.0004, "0 ms"],
    [0.04, "40 ms"],
    [0.9999, "1.0 s"],
    [59.97, "1:00 min"],
    [65, "1:05 min"],
    [7210, "2:00:10 h"],
  ])("a duration of %d s reads %s", (seconds, text) => expect(duration(seconds)).toBe(text));

  test("a countdown counts from the moment it was told and stops at zero", () => {
    const left = new Span(-1);
    left.tell(10, 5_000);
    expect(left.read(5_000)).toBe(10);
    expect(left.read(9_500)).toBe(5.5);
    expect(left.read(60_000)).toBe(0);
  });

  test("a timer ends with its view", () => {
    vi.useFakeTimers();
    const view = new AbortController();
    const tick = vi.fn();
    every(1000, tick, view.signal);
    vi.advanceTimersByTime(2500);
    view.abort();
    vi.advanceTimersByTime(5000);
    expect(tick).toHaveBeenCalledTimes(2);
    vi.useRealTimers();
  });
});
