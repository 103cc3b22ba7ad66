// What the library gives, as it goes over HTTP: names in snake_case, times in seconds.

export const destinationOf = ({ id, set, uri }) => ({ id, set, uri });

/** A bridge as its owner describes it, and how it is. */
export function bridgeOf(destination, status) {
  const { weight, maxCalls, maxRate, priority, attrs } = destination;
  const { standing, will, observed, calls, load, elsewhere, placed, ejected, score } = status;
  const described = { weight, max_calls: maxCalls, max_rate: maxRate, priority, attrs };
  return { ...destinationOf(destination), ...described, standing, will, observed, calls, load, elsewhere, placed, ejected, score };
}

export function explanationOf({ destination, refused, rows }) {
  return {
    destination: destination && destinationOf(destination),
    code: refused?.code ?? null,
    rows: rows.map(rowOf),
  };
}

function rowOf({ route, algorithm, destination, standing, key, estimate }) {
  const { predicted, residual, load, age, trusted } = estimate;
  return {
    route,
    algorithm: inSnakeCase(algorithm),
    destination: destinationOf(destination),
    standing,
    key,
    predicted,
    residual,
    load,
    age: age === null ? null : age / 1000,
    trusted,
  };
}

/** Of a set whose bridges do not say what they can carry, nothing is known. */
export function capacityOf(capacity) {
  const { utilisation = null, load = 0, capacity: most = 0, members = 0, slots = 0, busiest = null, desired = null } = capacity ?? {};
  return { utilisation, load, capacity: most, members, slots, busiest, desired };
}

/** An algorithm as in a configuration: a name, or `{name: options}`. */
function inSnakeCase(part) {
  if (part === null || typeof part !== 'object') {
    return part;
  }
  const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(part).map(([name, value]) => [snake(name), inSnakeCase(value)]));
}
