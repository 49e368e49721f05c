import { expect, test } from "vitest";

import { face, isWebAddress, type LoginState, type LoginTraits } from "../src/login/view";

const pending: LoginTraits = {
  state: "pending",
  code: "ab12cd34",
  url: "https://lab.example/configure/ab12cd34",
  server: "lab.example",
  user: "",
  left: 300,
  message: "",
  remedy: "",
  can_retry: true,
};

test("a pending card shows its code and waits", () => {
  const now = face(pending, true);
  expect(now).toMatchObject({ title: "Sign in to lab.example", showCode: true, showRetry: false, tone: "wait" });
});

test("a granted card is the line who and where, and nothing else", () => {
  const now = face({ ...pending, state: "granted", user: "ada", code: "", url: "" }, true);
  expect(now.line).toBe("Signed in as ada at lab.example");
  expect(now).toMatchObject({ showCode: false, showRetry: false, remedy: "", tone: "good" });
});

test.each<LoginState>(["denied", "expired", "cancelled"])("a card that is %s says so and what to do", (state) => {
  expect(face({ ...pending, state }, true)).toMatchObject({ showCode: false, showRetry: true });
  const byHand = face({ ...pending, state, can_retry: false }, true);
  expect(byHand.remedy).toContain("%arkitekt login");
  expect(byHand.showRetry).toBe(false);
});

test("an error card says Python's words", () => {
  const now = face({ ...pending, state: "error", message: "Nobody answers.", remedy: "Check the address." }, true);
  expect([now.line, now.remedy, now.tone]).toEqual(["Nobody answers.", "Check the address.", "bad"]);
});

test("a card whose kernel is gone does not pretend to wait", () => {
  const now = face(pending, false);
  expect(now.showCode).toBe(false);
  expect(now.line).toContain("kernel is gone");
});

test("only a web address becomes a link", () => {
  expect(isWebAddress("https://lab.example/x")).toBe(true);
  expect(isWebAddress("javascript:alert(1)")).toBe(false);
});
