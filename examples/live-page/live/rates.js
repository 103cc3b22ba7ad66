// Calls placed per second, from how much the counts grew between two looks.

/** What tells bridges apart: an id is unique in its set only. */
export const nameOf = ({ set, id }) => `${set}/${id}`;

/** Per bridge, by `nameOf`; `undefined` before there are two looks. */
export function placedPerSecond(before, now) {
  const seconds = before && (now.at - before.at) / 1000;
  if (!(seconds > 0)) {
    return undefined;
  }
  const placed = new Map(before.bridges.map((bridge) => [nameOf(bridge), bridge.placed]));
  return new Map(now.bridges.map((bridge) => {
    const grown = bridge.placed - (placed.get(nameOf(bridge)) ?? 0);
    // A count that shrank began anew: the control plane was restarted in between.
    return [nameOf(bridge), (grown < 0 ? bridge.placed : grown) / seconds];
  }));
}
