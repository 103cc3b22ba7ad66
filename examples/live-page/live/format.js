// How numbers, times and states are written.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3, maximumFractionDigits: 3, roundingPriority: 'lessPrecision' });
const time = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

/** Three digits, of them at most three decimals; all digits from 100 on; a dash where nothing is known. */
export const amount = (value) => {
  if (value === null || value === undefined) {
    return '–';
  }
  return (Math.abs(value) >= 100 ? whole : short).format(value);
};

export const percent = (ratio) => `${amount(ratio * 100)} %`;

/** Of milliseconds since the epoch of Unix, the time of day. */
export const clock = (at) => time.format(at);

/** `too_fast` as people read it. */
export const words = (name) => name.replaceAll('_', ' ');

/** What probes observe: `"active"`, `"inactive"` or `{"trying": failures}`. */
export const observed = (state) => {
  const [name, failures] = typeof state === 'string' ? [state] : Object.entries(state)[0];
  return failures === undefined ? words(name) : `${words(name)} (${failures} failed)`;
};

/** `load_score`, or an algorithm with its options, `{"call_id_hash": {"bound": 1.25}}`. */
export const algorithm = (name) => (typeof name === 'string' ? name : Object.keys(name)[0]);
