// Which options a picker shows, and where its keyboard goes. Mirrors the traits of Picker in
// jupyter_arkitekt/widgets/_picker.py.

export interface Option {
  id: string;
  name: string;
  /** A quiet second line, e.g. size and date. */
  detail: string;
}

/** What Python found for `text`. */
export interface Answer {
  text: string;
  options: Option[];
  error: string;
}

export interface PickerTraits {
  label: string;
  /** What is picked, in the singular: "image". */
  noun: string;
  /** Id of what is chosen; empty when nothing is. */
  value: string;
  /** The chosen one as Python knows it, null until it does. */
  chosen: Option | null;
  answer: Answer;
  disabled: boolean;
  /** Whether the chosen one does not fit; the words stand below the field. */
  invalid: boolean;
  picture: DataView | null;
}

/** Options whose name or id contains every word of `text`, at most `limit`. */
export function matching(options: readonly Option[], text: string, limit = 50): Option[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return options
    .filter((option) => {
      const hay = `${option.name} ${option.id}`.toLowerCase();
      return words.every((word) => hay.includes(word));
    })
    .slice(0, limit);
}

/**
 * What to list while the person types `text`: the answer when it is about this text (Python may have found more than
 * names), else what of the last answer still fits, so that the list never jumps back to a stale search.
 */
export function listed(answer: Answer, text: string): Option[] {
  return answer.text === text ? answer.options : matching(answer.options, text);
}

/** The line below the list: why it is empty, or that more is being looked for. */
export function hint(answer: Answer, text: string, count: number, noun: string): string {
  if (answer.text !== text) return "Searching …";
  if (answer.error) return answer.error;
  if (count > 0) return "";
  return text ? `No ${noun} matches “${text}”.` : `There is no ${noun} yet.`;
}

/** The option that `key` moves to among `count`, from `active` (-1: none). Null when the key is not ours. */
export function moved(key: string, active: number, count: number): number | null {
  if (count === 0) return null;
  switch (key) {
    case "ArrowDown":
      return active >= count - 1 ? 0 : active + 1;
    case "ArrowUp":
      return active <= 0 ? count - 1 : active - 1;
    case "PageDown":
      return Math.min(count - 1, active + 8);
    case "PageUp":
      return Math.max(0, active - 8);
    default:
      return null;
  }
}
