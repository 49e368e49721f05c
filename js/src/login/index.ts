// The login card: a code, a link, a countdown; one line when it is over.
import "./login.css";

import type { RenderProps } from "@anywidget/types";

import { copyText } from "../lib/copy";
import { h, setShown, setText, uniqueId } from "../lib/dom";
import { isLive, watch, watchLive } from "../lib/model";
import { clock, every, Span } from "../lib/time";
import { face, isWebAddress, type LoginTraits } from "./view";

function traitsOf(model: RenderProps<LoginTraits>["model"]): LoginTraits {
  return {
    state: model.get("state"),
    code: model.get("code"),
    url: model.get("url"),
    server: model.get("server"),
    user: model.get("user"),
    left: model.get("left"),
    message: model.get("message"),
    remedy: model.get("remedy"),
    can_retry: model.get("can_retry"),
  };
}

function render({ model, el, signal }: RenderProps<LoginTraits>): void {
  const titleId = uniqueId("ak-login");
  const title = h("div", { className: "arkitekt-login-title", id: titleId });
  const link = h("a", { className: "arkitekt-login-open", target: "_blank", rel: "noopener noreferrer" });
  link.append("Open the consent page", h("span", { className: "arkitekt-unseen" }, " (in a new tab)"));
  const address = h("div", { className: "arkitekt-login-address" });
  const code = h("code", { className: "arkitekt-login-code" });
  const copy = h("button", { type: "button", className: "arkitekt-login-copy" }, "Copy code");
  const left = h("span", { className: "arkitekt-login-left" });
  const cancel = h("button", { type: "button" }, "Cancel");
  const steps = h(
    "ol",
    { className: "arkitekt-login-steps" },
    h("li", {}, link, address),
    h("li", {}, h("div", {}, "Check that it shows this code, and agree."), h("div", { className: "arkitekt-login-row" }, code, copy)),
  );
  const line = h("span", { className: "arkitekt-login-line" });
  const dot = h("span", { className: "arkitekt-dot", attributes_: { "aria-hidden": "true" } });
  const remedy = h("div", { className: "arkitekt-login-remedy" });
  const retry = h("button", { type: "button" }, "New code");
  const status = h("div", { className: "arkitekt-login-status", attributes_: { role: "status" } }, dot, line);
  const foot = h("div", { className: "arkitekt-login-foot" }, status, left, cancel, retry);
  const card = h(
    "div",
    { className: "arkitekt arkitekt-login", attributes_: { role: "group", "aria-labelledby": titleId } },
    title,
    steps,
    foot,
    remedy,
  );
  el.append(card);

  const span = new Span(-1);
  const tick = (): void => {
    if (model.get("state") !== "pending") return;
    setText(left, `valid for ${clock(span.read(performance.now()))}`);
  };
  const draw = (): void => {
    const traits = traitsOf(model);
    const now = face(traits, isLive(model));
    card.dataset["state"] = traits.state;
    card.dataset["tone"] = now.tone;
    setText(title, now.title);
    setText(line, now.line);
    setText(remedy, now.remedy);
    setText(code, traits.code);
    setText(address, traits.url);
    if (isWebAddress(traits.url)) link.href = traits.url;
    else link.removeAttribute("href");
    setShown(title, now.tone !== "good");
    setShown(steps, now.showCode);
    setShown(left, now.showCode);
    setShown(cancel, now.showCode);
    setShown(retry, now.showRetry);
    setShown(remedy, now.remedy !== "");
    tick();
  };

  copy.addEventListener(
    "click",
    () => {
      void copyText(model.get("code")).then((copied) => setText(copy, copied ? "Copied" : "Select and copy"));
    },
    { signal },
  );
  copy.addEventListener("blur", () => setText(copy, "Copy code"), { signal });
  cancel.addEventListener("click", () => model.send({ kind: "cancel" }), { signal });
  retry.addEventListener("click", () => model.send({ kind: "retry" }), { signal });
  watch(model, ["left"], () => span.tell(model.get("left"), performance.now()), signal);
  watch(model, ["state", "code", "url", "server", "user", "message", "remedy", "can_retry"], draw, signal);
  watchLive(model, draw, signal);
  every(1000, tick, signal);
  // A page that was loaded again has a span that is as old as the last change.
  model.send({ kind: "time" });
}

export default { render };
