// A searchable list of things that live on the server, an id field beside it, and the picture of what is chosen.
// The pattern is WAI-ARIA's "editable combobox with list autocomplete".
import "./picker.css";

import type { RenderProps } from "@anywidget/types";

import { h, setShown, setText, uniqueId } from "../lib/dom";
import { watch } from "../lib/model";
import { hint, listed, moved, type Option, type PickerTraits } from "./view";

const TYPING_PAUSE = 200; // milliseconds without a key before Python is asked

function render({ model, el, signal }: RenderProps<PickerTraits>): void {
  const [inputId, listId, numberId] = [uniqueId("ak-pick"), uniqueId("ak-list"), uniqueId("ak-id")];
  const label = h("label", { className: "arkitekt-picker-label", htmlFor: inputId });
  const input = h("input", {
    type: "text",
    id: inputId,
    autocomplete: "off",
    spellcheck: false,
    attributes_: { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": listId },
  });
  const idLabel = h("label", { className: "arkitekt-picker-idlabel", htmlFor: numberId }, "id");
  const idInput = h("input", { type: "text", id: numberId, autocomplete: "off", spellcheck: false, className: "arkitekt-picker-id" });
  const list = h("ul", { id: listId, className: "arkitekt-picker-list", attributes_: { role: "listbox" } });
  const note = h("div", { className: "arkitekt-picker-note", attributes_: { role: "status" } });
  const popup = h("div", { className: "arkitekt-picker-popup", hidden: true }, list, note);
  const picture = h("img", { className: "arkitekt-picker-picture", alt: "", hidden: true });
  const caption = h("div", { className: "arkitekt-picker-caption" });
  const chosen = h("div", { className: "arkitekt-picker-chosen", hidden: true }, picture, caption);
  const card = h(
    "div",
    { className: "arkitekt arkitekt-picker" },
    label,
    h(
      "div",
      { className: "arkitekt-picker-row" },
      h("div", { className: "arkitekt-picker-combo" }, input, popup),
      h("div", { className: "arkitekt-picker-idbox" }, idLabel, idInput),
    ),
    chosen,
  );
  el.append(card);

  let open = false;
  let active = -1;
  let shown: Option[] = [];
  let asked: string | null = null;
  let pause: ReturnType<typeof setTimeout> | undefined;
  let pictureUrl = "";

  /** What is searched: nothing while the field only repeats the name of what is chosen. */
  const text = (): string => (input.value === (model.get("chosen")?.name ?? "") ? "" : input.value.trim());
  const ask = (): void => {
    clearTimeout(pause);
    pause = setTimeout(() => {
      if (asked === text()) return;
      asked = text();
      model.send({ kind: "search", text: asked });
    }, TYPING_PAUSE);
  };

  const drawList = (): void => {
    const answer = model.get("answer");
    shown = open ? listed(answer, text()) : [];
    active = Math.min(active, shown.length - 1);
    list.replaceChildren(
      ...shown.map((option, index) => {
        const row = h(
          "li",
          {
            id: `${listId}-${index}`,
            className: "arkitekt-picker-option",
            attributes_: { role: "option", "aria-selected": String(index === active) },
          },
          h("span", { className: "arkitekt-picker-name" }, option.name || "(no name)"),
          h("span", { className: "arkitekt-picker-quiet" }, [`id ${option.id}`, option.detail].filter(Boolean).join(" · ")),
        );
        // pointerdown, because the input's blur would close the list before a click arrives
        row.addEventListener("pointerdown", (event) => {
          event.preventDefault();
          choose(option);
        });
        return row;
      }),
    );
    setText(note, open ? hint(answer, text(), shown.length, model.get("noun")) : "");
    setShown(note, note.textContent !== "");
    setShown(popup, open);
    input.setAttribute("aria-expanded", String(open));
    if (active >= 0) {
      input.setAttribute("aria-activedescendant", `${listId}-${active}`);
      list.children[active]?.scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  };
  const setOpen = (next: boolean): void => {
    if (next && model.get("disabled")) return;
    if (next && !open) {
      asked = null;
      ask();
    }
    open = next;
    if (!open) active = -1;
    drawList();
  };
  const drawChosen = (): void => {
    const value = model.get("value");
    const known = model.get("chosen");
    const current = known?.id === value ? known : null;
    idInput.value = value;
    input.value = current ? current.name : "";
    input.placeholder = current ? "" : value ? `id ${value}` : `Search by name or id`;
    setText(caption, current ? [current.name || "(no name)", current.detail].filter(Boolean).join(" · ") : "");
    setShown(chosen, current !== null);
  };
  const choose = (option: Option): void => {
    model.set("chosen", option);
    model.set("value", option.id);
    model.save_changes();
    setOpen(false);
    drawChosen();
  };
  const drawPicture = (): void => {
    const bytes = model.get("picture");
    if (pictureUrl) URL.revokeObjectURL(pictureUrl);
    pictureUrl = bytes && bytes.byteLength > 0 ? URL.createObjectURL(new Blob([bytes as BlobPart], { type: "image/png" })) : "";
    setShown(picture, pictureUrl !== "");
    if (pictureUrl) picture.src = pictureUrl;
    picture.alt = `Thumbnail of ${model.get("chosen")?.name || "the chosen " + model.get("noun")}`;
  };
  const drawState = (): void => {
    setText(label, model.get("label"));
    list.setAttribute("aria-label", `${model.get("label")}: options`);
    idInput.setAttribute("aria-label", `${model.get("label")}: id`);
    const disabled = model.get("disabled");
    input.disabled = disabled;
    idInput.disabled = disabled;
    for (const field of [input, idInput]) field.setAttribute("aria-invalid", String(model.get("invalid")));
    card.dataset["disabled"] = String(disabled);
  };

  input.addEventListener("focus", () => input.select(), { signal });
  input.addEventListener("click", () => setOpen(true), { signal });
  input.addEventListener("input", () => {
    if (!open) setOpen(true);
    active = -1;
    drawList();
    ask();
  }, { signal });
  input.addEventListener("blur", () => {
    setOpen(false);
    drawChosen();
  }, { signal });
  input.addEventListener("keydown", (event) => {
    const next = open ? moved(event.key, active, shown.length) : null;
    if (next !== null) {
      active = next;
      drawList();
    } else if (!open && (event.key === "ArrowDown" || event.key === "ArrowUp")) setOpen(true);
    else if (open && event.key === "Enter") {
      const option = shown[active];
      if (option) choose(option);
    } else if (open && event.key === "Escape") {
      setOpen(false);
      drawChosen();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }, { signal });
  idInput.addEventListener("change", () => {
    model.set("value", idInput.value.trim());
    model.save_changes();
    drawChosen();
  }, { signal });
  watch(model, ["label", "noun", "disabled", "invalid"], drawState, signal);
  watch(model, ["value", "chosen"], drawChosen, signal);
  watch(model, ["picture", "chosen"], drawPicture, signal);
  watch(model, ["answer"], drawList, signal);
  signal.addEventListener("abort", () => {
    clearTimeout(pause);
    if (pictureUrl) URL.revokeObjectURL(pictureUrl);
  });
}

export default { render };
