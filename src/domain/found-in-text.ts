import { normalisePhone } from './identities.ts';

/*
 * Addresses, handles and phone numbers inside a text. Each pattern takes linear time, because senders choose the text.
 * What is found is a guess: it is only ever compared, by its hash, with identities that exist.
 */

/** The longest local part of an address, and the longest domain (RFC 5321). */
const MAX_LOCAL_PART = 64;
const LOCAL_PART = /[\p{L}\p{M}\p{N}._+'-]+$/u;
const AFTER_AT = /[\p{L}\p{M}\p{N}._-]{1,253}/uy;

/** E-mail addresses and `@handles` in a text, in lower case. Where one may begin later or end earlier, all readings. */
export function* addressesIn(text: string): Generator<string> {
  for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
    AFTER_AT.lastIndex = at + 1;
    const after = withoutEnds(AFTER_AT.exec(text)?.[0].toLowerCase() ?? '');
    if (after === '') continue;
    const local = LOCAL_PART.exec(text.slice(Math.max(0, at - MAX_LOCAL_PART), at))?.[0].toLowerCase();
    if (local === undefined) {
      yield after;
      continue;
    }
    const bare = local.replace(/^[._+'-]+/, '');
    // A text that is an address ends where it ends; inside a text, the next sentence may follow without a space.
    const isWhole = local.length === at && at + 1 + after.length === text.length;
    for (const domain of isWhole ? [after] : domainsOf(after)) {
      yield `${local}@${domain}`;
      if (bare !== local && bare !== '') yield `${bare}@${domain}`;
    }
  }
}

/** The domain at the start of what follows an `@`; with and without its last labels (`acme.com.Please` is both). */
function* domainsOf(after: string): Generator<string> {
  const domain = withoutEnds(after.split('_', 1)[0] ?? '');
  const labels = domain.split('.');
  if (domain !== '') yield domain;
  for (let end = 2; end < Math.min(labels.length, 6); end++) yield labels.slice(0, end).join('.');
}

function withoutEnds(text: string): string {
  return text.replace(/^[._-]+|[._-]+$/g, '');
}

/** At most 34 characters that may be a phone number, or several numbers in a row. */
const NUMBER_RUN = /[+＋]?\(?\d[\d\s()./\u2010-\u2015-]{4,30}\d/gu;
const MIN_DIGITS = 6;
const MAX_DIGITS = 17;

/**
 * Texts that may be phone numbers: in international form, and with a default country in national form.
 * @returns texts for `phonesOf`
 */
export function* phonesIn(text: string, defaultCountry: string | null): Generator<string> {
  for (const [run] of text.matchAll(NUMBER_RUN)) {
    const isInternational = /^[+＋(]*(00)?/.exec(run)?.[0] !== '';
    if (!isInternational && defaultCountry === null) continue;
    const groups = [...run.matchAll(/\d+/g)];
    for (const [from, first] of groups.entries()) {
      if (isInternational && from > 0) break;
      let digits = 0;
      for (const last of groups.slice(from)) {
        digits += last[0].length;
        if (digits > MAX_DIGITS) break;
        const start = from === 0 ? 0 : first.index;
        if (digits >= MIN_DIGITS) yield run.slice(start, last.index + last[0].length);
      }
    }
  }
}

/** Readings of a whole text as a phone number, in E.164: as it is, and with the `+` that it lacks or writes as 00. */
export function phonesOf(text: string, defaultCountry: string | null): string[] {
  const digits = text.replace(/[\s()./\u2010-\u2015-]/g, '').replace(/^00/, '');
  const readings = [
    ...(defaultCountry !== null || /[+＋]/.test(text) ? [text] : []),
    ...(/^[1-9]\d{6,14}$/.test(digits) ? [`+${digits}`] : []),
  ];
  return readings.flatMap((reading) => {
    const phone = normalisePhone(reading, defaultCountry);
    return phone.ok ? [phone.value] : [];
  });
}
