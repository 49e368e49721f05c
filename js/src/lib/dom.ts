// Plain DOM with one helper. Text always arrives as text: nothing here parses markup.

type Child = Node | string | null | undefined;
type Properties<K extends keyof HTMLElementTagNameMap> = Partial<
  Omit<HTMLElementTagNameMap[K], "style" | "dataset" | "children">
> & { attributes_?: Record<string, string> };

/** Make an element; `attributes_` sets attributes that have no property (role, aria-…). */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties<K> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  const { attributes_, ...rest } = properties;
  Object.assign(element, rest);
  for (const [name, value] of Object.entries(attributes_ ?? {})) element.setAttribute(name, value);
  element.append(...children.filter((child): child is Node | string => child != null));
  return element;
}

/** Set an element's text only when it differs, so that a live region speaks once. */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Show or hide an element. */
export function setShown(element: HTMLElement, shown: boolean): void {
  element.hidden = !shown;
}

let made = 0;

/** Return an id that no other element of the page has. */
export function uniqueId(prefix: string): string {
  made += 1;
  return `${prefix}-${Date.now().toString(36)}-${made}`;
}
