// What the head of a form says. Mirrors the traits of FormHead in jupyter_arkitekt/widgets/_head.py.

export interface HeadTraits {
  title: string;
  description: string;
  /** Who hosts the function, whether it yields more than once, … */
  facts: string[];
  /** What keeps the whole form from running; errors of one field stand at that field. */
  problem: string;
}

/** Split a description into its first paragraph and the rest. */
export function paragraphs(description: string): { first: string; rest: string } {
  const [first = "", ...rest] = description.trim().split(/\n\s*\n/);
  return { first: first.replace(/\s+/g, " "), rest: rest.join("\n\n") };
}
