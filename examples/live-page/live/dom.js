// The few things done to elements.

/** An element with properties and children. */
export function make(tag, properties = {}, ...children) {
  const { attributes = {}, ...rest } = properties;
  const made = Object.assign(document.createElement(tag), rest);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Sets the text where it differs, so that a selection and a screen reader are left alone. */
export function show(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/**
 * Makes the children of `parent` those of `items`, in this order. An element stays as long as its
 * item does, and with it focus, selection and what is unfolded.
 */
export function keep(parent, kept, items, key, create, update) {
  const names = new Set(items.map(key));
  for (const [name, { element }] of kept) {
    if (!names.has(name)) {
      element.remove();
      kept.delete(name);
    }
  }
  items.forEach((item, index) => {
    const name = key(item);
    if (!kept.has(name)) {
      kept.set(name, create(item));
    }
    const view = kept.get(name);
    update(view, item);
    if (parent.children[index] !== view.element) {
      parent.insertBefore(view.element, parent.children[index] ?? null);
    }
  });
}
