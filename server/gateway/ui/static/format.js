// Numbers and moments as words. Pure.

const NONE = '–';
export const WORDS_OF_FORM = { adapter: 'adapter', text: 'text', none: 'nothing' };

/** 0.925 -> "92.5 %". */
export const percent = (share) => (share === null || share === undefined ? NONE : `${(100 * share).toFixed(1)} %`);

/** Milliseconds with two or three digits: "0.84 ms", "12.3 ms", "1.24 s". */
export function milliseconds(value) {
  if (value === null || value === undefined) return NONE;
  if (value === 0) return '0 ms';
  if (value >= 1000) return `${(value / 1000).toFixed(value < 10000 ? 2 : 1)} s`;
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ms`;
}

/** 1234567 -> "1 234 567", with thin spaces. */
export const whole = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, '\u2009');

/** Bytes in steps of 1000. */
export function bytes(value) {
  const units = ['bytes', 'KB', 'MB', 'GB'];
  let left = value;
  while (left >= 1000 && units.length > 1) { left /= 1000; units.shift(); }
  return units[0] === 'bytes' ? `${left} bytes` : `${left.toFixed(1)} ${units[0]}`;
}

/** An ISO moment as "2026-01-31 12:00 UTC". */
export const moment = (iso) => (iso ? `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC` : NONE);

export const count = (number, word) => `${whole(number)} ${word}${number === 1 ? '' : 's'}`;

/** A weight as the grammar of the model string takes it: at most four decimals, no exponent. */
export function weight(value) {
  const fixed = value.toFixed(4).replace(/\.?0+$/, '');
  return fixed === '-0' ? '0' : fixed;
}

/** The `model` of a sum of terms [{name, weight}]; a weight of 1 is left out, of 0 the whole term. */
export function expression(terms, { exact = false } = {}) {
  const kept = terms.map((term) => ({ ...term, words: weight(term.weight) })).filter((term) => term.words !== '0');
  if (!kept.length) return 'base';
  const sum = kept.map((term) => (term.words === '1' ? term.name : `${term.name}*${term.words}`)).join('+');
  const alone = kept.length === 1 && kept[0].words === '1';
  return alone ? `${sum}:adapter` : exact ? `${sum}:exact` : sum;
}
