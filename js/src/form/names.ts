// Names and descriptions for screen readers that ipywidgets' controls do not have by themselves.

import { uniqueId } from "../lib/dom";

/** Tell each control of a form what its help and its error are, and give a slider's handle the slider's name. */
export function nameControls(form: Element): void {
  for (const field of form.querySelectorAll(".arkitekt-field")) {
    const control = field.querySelector("input, select, textarea, [role=slider]");
    if (!control) continue;
    const about = [...field.querySelectorAll(":scope > .arkitekt-help, :scope > .arkitekt-wrong")];
    for (const line of about) line.id ||= uniqueId("ak-about");
    control.setAttribute("aria-describedby", about.map((line) => line.id).join(" "));
    field.querySelector(":scope > .arkitekt-wrong")?.setAttribute("role", "alert");
    if (control.getAttribute("role") === "slider") {
      control.setAttribute("aria-label", field.querySelector(".widget-label")?.textContent ?? "");
    }
  }
}

/** Do so for the form around `element` as soon as there is one, and whenever its controls are drawn again. */
export function keepNamed(element: HTMLElement, signal: AbortSignal): void {
  const drawn = new MutationObserver(() => {
    const form = element.closest(".arkitekt-form");
    if (form) nameControls(form);
  });
  // The head is drawn before the form around it is in the page; its size is known once it is.
  const placed = new ResizeObserver(() => {
    const form = element.closest(".arkitekt-form");
    if (!form) return;
    placed.disconnect();
    nameControls(form);
    drawn.observe(form, { childList: true, subtree: true });
  });
  placed.observe(element);
  signal.addEventListener("abort", () => {
    placed.disconnect();
    drawn.disconnect();
  });
}
