import { expect, test } from "vitest";

import { face, isLoud, logTitle, type TaskTraits } from "../src/task/view";

const running: TaskTraits = {
  state: "running",
  name: "Gaussian blur",
  progress: 40,
  message: "plane 4 of 10",
  logs: [],
  dropped: 0,
  error: "",
  detail: "",
  remedy: "",
  elapsed: 2,
  can_cancel: true,
};

test("a running task shows its bar and can be cancelled", () => {
  expect(face(running, true)).toEqual({ word: "Running", tone: "wait", over: false, bar: 40, showCancel: true });
});

test("a function that never says how far it is has a bar without a value", () => {
  expect(face({ ...running, progress: null }, true).bar).toBeNull();
});

test("a task is cancelled once, not twice", () => {
  expect(face({ ...running, state: "cancelling" }, true)).toMatchObject({ over: false, showCancel: false });
});

test("a task that is over says how, and has nothing to press", () => {
  expect(face({ ...running, state: "done", progress: 100 }, true)).toMatchObject({ bar: undefined, tone: "good", over: true });
  expect(face({ ...running, state: "failed" }, true)).toMatchObject({ bar: 40, tone: "bad", showCancel: false });
  expect(face({ ...running, state: "failed", progress: null }, true).bar).toBeUndefined();
  expect(face({ ...running, state: "cancelled" }, true).tone).toBe("quiet");
});

test("a task whose kernel is gone says so", () => {
  expect(face(running, false)).toMatchObject({ over: true, showCancel: false, tone: "bad" });
  expect(face({ ...running, state: "done" }, false).tone).toBe("good");
});

test("a log counts its lines, those that are gone, and those that matter", () => {
  const logs = [
    { level: "INFO", text: "a" },
    { level: "WARNING", text: "b" },
    { level: "error", text: "c" },
  ];
  expect(logTitle(logs.slice(0, 1), 0)).toBe("Log (1 line)");
  expect(logTitle(logs, 7)).toBe("Log (10 lines, 2 of them warnings or errors)");
  expect(isLoud("INFO")).toBe(false);
});
