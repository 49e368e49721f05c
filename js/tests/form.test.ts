import { expect, test } from "vitest";

import { paragraphs } from "../src/form/view";

test("a description is its first paragraph and the rest", () => {
  expect(paragraphs("Blurs\n an image.\n\nUses a Gaussian.\n\nSlow.")).toEqual({
    first: "Blurs an image.",
    rest: "Uses a Gaussian.\n\nSlow.",
  });
  expect(paragraphs("")).toEqual({ first: "", rest: "" });
});
