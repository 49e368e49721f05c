// The task card: how a call goes, its log, a way to stop it.
import "./task.css";

import type { RenderProps } from "@anywidget/types";

import { h, setShown, setText, uniqueId } from "../lib/dom";
import { isLive, watch, watchLive } from "../lib/model";
import { duration, every, Span } from "../lib/time";
import { face, isLoud, logTitle, type LogLine, type TaskTraits } from "./view";

function traitsOf(model: RenderProps<TaskTraits>["model"]): TaskTraits {
  return {
    state: model.get("state"),
    name: model.get("name"),
    progress: model.get("progress"),
    message: model.get("message"),
    logs: model.get("logs"),
    dropped: model.get("dropped"),
    error: model.get("error"),
    detail: model.get("detail"),
    remedy: model.get("remedy"),
    elapsed: model.get("elapsed"),
    can_cancel: model.get("can_cancel"),
  };
}

function logRow(line: LogLine): HTMLElement {
  const level = h("span", { className: "arkitekt-task-level" }, line.level);
  return h("div", { className: isLoud(line.level) ? "arkitekt-task-loud" : "" }, level, ` ${line.text}`);
}

function render({ model, el, signal }: RenderProps<TaskTraits>): void {
  const nameId = uniqueId("ak-task");
  const name = h("span", { className: "arkitekt-task-name", id: nameId });
  const word = h("span", { className: "arkitekt-task-word" });
  const dot = h("span", { className: "arkitekt-dot", attributes_: { "aria-hidden": "true" } });
  const status = h("div", { className: "arkitekt-task-status", attributes_: { role: "status" } }, dot, word);
  const elapsed = h("span", { className: "arkitekt-task-elapsed" });
  const cancel = h("button", { type: "button" }, "Cancel");
  const head = h("div", { className: "arkitekt-task-head" }, status, name, elapsed, cancel);
  const bar = h("progress", { max: 100, attributes_: { "aria-labelledby": nameId } });
  const percent = h("span", { className: "arkitekt-task-percent" });
  const bars = h("div", { className: "arkitekt-task-bar" }, bar, percent);
  const message = h("div", { className: "arkitekt-task-message" });
  const problem = h("div", { className: "arkitekt-task-error" });
  const detail = h("pre", { className: "arkitekt-task-detail", tabIndex: 0, attributes_: { "aria-label": "What was reported" } });
  const details = h("details", {}, h("summary", {}, "What was reported"), detail);
  const remedy = h("div", { className: "arkitekt-task-remedy" });
  const alarm = h("div", { className: "arkitekt-task-alarm", attributes_: { role: "alert" } }, problem, remedy);
  const logSummary = h("summary", {});
  const logRows = h("div", { className: "arkitekt-task-log", tabIndex: 0, attributes_: { role: "log", "aria-label": "Log", "aria-live": "off" } });
  const logs = h("details", {}, logSummary, logRows);
  const card = h(
    "div",
    { className: "arkitekt arkitekt-task", attributes_: { role: "group", "aria-labelledby": nameId } },
    head,
    bars,
    message,
    alarm,
    details,
    logs,
  );
  el.append(card);

  const span = new Span(1);
  const tick = (): void => setText(elapsed, duration(span.read(performance.now())));
  const draw = (): void => {
    const traits = traitsOf(model);
    const now = face(traits, isLive(model));
    setShown(card, traits.state !== "idle");
    card.dataset["state"] = traits.state;
    card.dataset["tone"] = now.tone;
    setText(name, traits.name);
    setText(word, now.word);
    setText(message, traits.message);
    setShown(message, traits.message !== "" && !now.over);
    setShown(bars, now.bar !== undefined);
    if (now.bar == null) bar.removeAttribute("value");
    else bar.value = now.bar;
    setShown(percent, now.bar != null);
    setText(percent, now.bar == null ? "" : `${now.bar} %`);
    setShown(cancel, now.showCancel);
    setText(problem, traits.error);
    setText(remedy, traits.remedy);
    setText(detail, traits.detail);
    setShown(alarm, traits.error !== "");
    setShown(details, traits.detail !== "");
    if (now.over) setText(elapsed, duration(model.get("elapsed")));
  };
  const drawLogs = (): void => {
    const lines = model.get("logs");
    const dropped = model.get("dropped");
    const atEnd = logRows.scrollHeight - logRows.scrollTop - logRows.clientHeight < 8;
    setShown(logs, lines.length > 0);
    setText(logSummary, logTitle(lines, dropped));
    const earlier = dropped > 0 ? [h("div", { className: "arkitekt-task-level" }, `… ${dropped} earlier lines`)] : [];
    logRows.replaceChildren(...earlier, ...lines.map(logRow));
    if (atEnd) logRows.scrollTop = logRows.scrollHeight;
  };

  cancel.addEventListener("click", () => model.send({ kind: "cancel" }), { signal });
  watch(model, ["elapsed"], () => span.tell(model.get("elapsed"), performance.now()), signal);
  watch(model, ["state", "name", "progress", "message", "error", "detail", "remedy", "can_cancel"], draw, signal);
  watch(model, ["logs", "dropped"], drawLogs, signal);
  watchLive(model, draw, signal);
  every(200, () => {
    if (!face(traitsOf(model), isLive(model)).over) tick();
  }, signal);
  // A page that was loaded again has a span that is as old as the last change.
  model.send({ kind: "time" });
}

export default { render };
