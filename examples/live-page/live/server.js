// The control plane, as far as this page asks it. Addresses are relative to the page.

/** Longer than this no answer is waited for. */
const PATIENCE = 5000;

/** A command that the control plane refused; the message says why. */
export class Refusal extends Error {}

/** In memory only: whoever loads the page again is asked again. */
let token;

/** Everything that the page shows, asked at once. */
export async function look() {
  const [bridges, calls] = await Promise.all([ask('bridges'), ask('recent')]);
  const sets = [...new Set(bridges.map((bridge) => bridge.set))];
  const capacities = await Promise.all(sets.map(async (set) => [set, await capacity(set)]));
  return { at: Date.now(), bridges, calls, capacities: new Map(capacities) };
}

/**
 * `drain`, `enable` or `disable` for a bridge. Where the control plane wants a token, `askToken` is
 * called until it is right or gives none; `false` means that nothing was done.
 */
export async function order(verb, bridge, askToken) {
  const path = `bridges/${encodeURIComponent(bridge.id)}/${verb}?set=${bridge.set}`;
  for (;;) {
    const headers = token ? { authorization: `Bearer ${token}` } : {};
    const response = await send(path, { method: 'POST', headers });
    if (response.ok) {
      return true;
    }
    if (response.status !== 401) {
      throw new Refusal(await reason(response));
    }
    const why = token ? 'The control plane refuses this token.' : 'The control plane wants a token for changes.';
    token = await askToken(why);
    if (!token) {
      return false;
    }
  }
}

/** Nobody may know what a set can carry: then there is no capacity. */
async function capacity(set) {
  const response = await send(`capacity?set=${set}`);
  return response.ok ? response.json() : undefined;
}

async function ask(path) {
  const response = await send(path);
  if (!response.ok) {
    throw new Error(await reason(response));
  }
  return response.json();
}

async function send(path, options = {}) {
  try {
    return await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE), ...options });
  } catch (error) {
    throw new Error(error.name === 'TimeoutError' ? 'it takes too long' : 'it cannot be reached');
  }
}

/** What a refusal says: a problem (RFC 9457), or at least its status. */
async function reason(response) {
  const problem = await response.json().catch(() => ({}));
  return problem.detail ?? problem.title ?? `status ${response.status}`;
}
