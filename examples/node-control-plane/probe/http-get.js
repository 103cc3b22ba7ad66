// An HTTP GET as a probe: its status is the reply.

/**
 * Asks a URL once: `{ reply, retryAfter }`, the latter in seconds or undefined. Redirects are not
 * followed: a status of 302 is the reply. Rejects where nobody answers, or the signal is aborted.
 */
export async function httpGet(url, { signal }) {
  const response = await fetch(url, { redirect: 'manual', signal, headers: { 'user-agent': 'callsteer' } });
  // Only the status was asked for.
  await response.body?.cancel();
  return { reply: response.status, retryAfter: seconds(response.headers.get('retry-after')) };
}

/** RFC 9110, 10.2.3: seconds, or a date. */
function seconds(text) {
  if (/^\d+$/.test(text ?? '')) {
    return Number(text);
  }
  const until = Date.parse(text ?? '');
  return Number.isNaN(until) ? undefined : Math.max(0, (until - Date.now()) / 1000);
}
