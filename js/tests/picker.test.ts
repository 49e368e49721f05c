import { expect, test } from "vitest";

import { hint, listed, matching, moved, type Answer } from "../src/picker/view";

const options = [
  { id: "3", name: "Cells at noon", detail: "512 × 512" },
  { id: "12", name: "<b>tissue</b>", detail: "" },
  { id: "31", name: "cells at night", detail: "" },
];
const all: Answer = { text: "", options, error: "" };

test("every word has to be in the name or the id", () => {
  expect(matching(options, "cells NIGHT").map((option) => option.id)).toEqual(["31"]);
  expect(matching(options, "12").map((option) => option.id)).toEqual(["12"]);
  expect(matching(options, "", 2)).toHaveLength(2);
});

test("until the answer to this text is there, the last answer is filtered here", () => {
  expect(listed(all, "cells").map((option) => option.id)).toEqual(["3", "31"]);
  expect(hint(all, "cells", 2, "image")).toBe("Searching …");
  const answered: Answer = { text: "cells", options: options.slice(1), error: "" };
  expect(listed(answered, "cells")).toEqual(options.slice(1));
  expect(hint(answered, "cells", 2, "image")).toBe("");
});

test("an empty list says why it is empty", () => {
  expect(hint({ text: "", options: [], error: "" }, "", 0, "image")).toBe("There is no image yet.");
  expect(hint({ text: "zzz", options: [], error: "" }, "zzz", 0, "image")).toBe("No image matches “zzz”.");
  expect(hint({ text: "zzz", options: [], error: "Nobody answers." }, "zzz", 0, "image")).toBe("Nobody answers.");
});

test("the keyboard goes round the list", () => {
  expect(moved("ArrowDown", -1, 3)).toBe(0);
  expect(moved("ArrowDown", 2, 3)).toBe(0);
  expect(moved("ArrowUp", -1, 3)).toBe(2);
  expect(moved("PageDown", 0, 3)).toBe(2);
  expect(moved("Tab", 0, 3)).toBeNull();
  expect(moved("ArrowDown", -1, 0)).toBeNull();
});
