// The head of a form. Its style sheet is the whole form's: the controls below it are ipywidgets.
import "./form.css";

import type { RenderProps } from "@anywidget/types";

import { h, setShown, setText } from "../lib/dom";
import { watch } from "../lib/model";
import { keepNamed } from "./names";
import { type HeadTraits, paragraphs } from "./view";

function render({ model, el, signal }: RenderProps<HeadTraits>): void {
  const title = h("div", { className: "arkitekt-head-title", attributes_: { role: "heading", "aria-level": "3" } });
  const facts = h("div", { className: "arkitekt-head-facts" });
  const first = h("div", { className: "arkitekt-head-first" });
  const rest = h("div", { className: "arkitekt-head-rest" });
  const more = h("details", {}, h("summary", {}, "More"), rest);
  const problem = h("div", { className: "arkitekt-head-problem", attributes_: { role: "alert" } });
  el.append(h("div", { className: "arkitekt arkitekt-head" }, title, facts, first, more, problem));

  const draw = (): void => {
    const text = paragraphs(model.get("description"));
    setText(title, model.get("title"));
    setText(facts, model.get("facts").join(" · "));
    setText(first, text.first);
    setText(rest, text.rest);
    setText(problem, model.get("problem"));
    setShown(facts, facts.textContent !== "");
    setShown(first, text.first !== "");
    setShown(more, text.rest !== "");
    setShown(problem, problem.textContent !== "");
  };
  watch(model, ["title", "description", "facts", "problem"], draw, signal);
  keepNamed(el, signal);
}

export default { render };
