import { findSite, type Site } from './channel-sources.ts';
import type { Kind } from './touchpoint-fields.ts';

/**
 * GA4's default channels in snake_case, in the order of their rules; the last two are the fallbacks.
 *
 * Source: "[GA4] Default channel group", https://support.google.com/analytics/answer/9756891; for
 * `ai_assistant`, added on 13 May 2026, https://support.google.com/analytics/answer/9164320.
 */
export const CHANNELS = [
  'cross_network',
  'paid_shopping',
  'paid_search',
  'paid_social',
  'paid_video',
  'display',
  'paid_other',
  'ai_assistant',
  'organic_shopping',
  'organic_social',
  'organic_video',
  'organic_search',
  'referral',
  'email',
  'affiliates',
  'audio',
  'sms',
  'mobile_push_notifications',
  'direct',
  'unassigned',
] as const;
export type Channel = (typeof CHANNELS)[number];

/** The source of a touchpoint. A field is null if nothing names it. */
export interface Origin {
  source: string | null;
  medium: string | null;
  campaign: string | null;
  content: string | null;
  term: string | null;
}

/** The fields of a touchpoint that its channel is derived from, as they were sent. */
export interface ChannelEvidence {
  kind: Kind;
  source?: string | null;
  medium?: string | null;
  campaign?: string | null;
  url?: string | null;
  referrer?: string | null;
}

/** Source and medium are one pair: halves of two pairs would describe a visit that never happened. */
interface Inference {
  readonly source: string;
  readonly medium: string;
}

/**
 * Click ids, with the source and medium that each implies; the first in the list wins if a URL has several.
 * They are only added to clicks on ads (or on affiliate links), so they imply paid traffic. GA4 itself reads
 * only Google's. The others are included because a paid click would otherwise count as organic. `cpc` for
 * search and `paid_social` for social are the usual values in UTM tags.
 */
const AD_CLICK_IDS = [
  ['gclid', 'google', 'cpc'],
  ['gbraid', 'google', 'cpc'],
  ['wbraid', 'google', 'cpc'],
  ['dclid', 'google', 'display'],
  ['msclkid', 'bing', 'cpc'],
  ['yclid', 'yandex', 'cpc'],
  ['ttclid', 'tiktok', 'paid_social'],
  ['twclid', 'twitter', 'paid_social'],
  ['li_fat_id', 'linkedin', 'paid_social'],
  ['rdt_cid', 'reddit', 'paid_social'],
  ['sccid', 'snapchat', 'paid_social'],
  ['epik', 'pinterest', 'paid_social'],
  ['irclickid', 'impact', 'affiliate'],
  ['awc', 'awin', 'affiliate'],
  ['cjevent', 'cj', 'affiliate'],
] as const;
const AD_CLICK_RANKS: ReadonlyMap<string, number> = new Map(AD_CLICK_IDS.map(([name], rank) => [name, rank]));

/**
 * Meta and Instagram add these ids to every outgoing link, paid or not, so they identify the site and not the
 * payment. They rank after the referrer, which distinguishes Instagram from Facebook and reveals a link that
 * was copied from there to another site.
 */
const LINK_IDS: ReadonlyMap<string, Inference> = new Map([
  ['fbclid', { source: 'facebook', medium: 'social' }],
  ['igsh', { source: 'instagram', medium: 'social' }],
  ['igshid', { source: 'instagram', medium: 'social' }],
]);

const UTM_FIELDS: ReadonlyMap<string, keyof Origin> = new Map([
  ['utm_source', 'source'],
  ['utm_medium', 'medium'],
  ['utm_campaign', 'campaign'],
  ['utm_content', 'content'],
  ['utm_term', 'term'],
]);
/** The length of `utm_campaign`, the longest parameter name that is read; longer names are skipped. */
const PARAMETER_MAX_CHARS = 12;
/** Texts filled in from a URL are cut to this length, the limit of the other short texts of a touchpoint. */
const FILLED_MAX_CHARS = 255;

interface UrlTags extends Origin {
  adClick: Inference | null;
  linkClick: Inference | null;
}

/** The text, or null if it is blank. */
function given(text: string | null | undefined): string | null {
  return text == null || text.trim() === '' ? null : text;
}

/** Text from a URL that the database can store: PostgreSQL rejects NUL; a cut may split a surrogate pair. */
function storable(text: string): string | null {
  return text.includes('\0') ? null : given(text.slice(0, FILLED_MAX_CHARS).toWellFormed());
}

function decode(value: string): string {
  if (!value.includes('%') && !value.includes('+')) return value;
  // Not decodeURIComponent, which throws on a malformed escape.
  return new URLSearchParams(`v=${value}`).get('v') ?? '';
}

const NO_TAGS: Readonly<UrlTags> = {
  source: null,
  medium: null,
  campaign: null,
  content: null,
  term: null,
  adClick: null,
  linkClick: null,
};

/** Parses the query by hand, so that the tags of a malformed URL count too. */
function readTags(url: string | null): Readonly<UrlTags> {
  const address = url?.split('#', 1)[0] ?? '';
  const start = address.indexOf('?');
  if (start === -1) return NO_TAGS;
  const tags = { ...NO_TAGS };
  let bestRank: number = AD_CLICK_IDS.length;
  for (const parameter of address.slice(start + 1).split('&')) {
    const equals = parameter.indexOf('=');
    if (equals < 1 || equals > PARAMETER_MAX_CHARS || equals === parameter.length - 1) continue;
    const name = parameter.slice(0, equals).toLowerCase();
    const field = UTM_FIELDS.get(name);
    if (field !== undefined) tags[field] ??= storable(decode(parameter.slice(equals + 1)));
    bestRank = Math.min(bestRank, AD_CLICK_RANKS.get(name) ?? bestRank);
    tags.linkClick ??= LINK_IDS.get(name) ?? null;
  }
  const best = AD_CLICK_IDS[bestRank];
  if (best !== undefined) tags.adClick = { source: best[1], medium: best[2] };
  return tags;
}

const REFERRER_PROTOCOLS: ReadonlySet<string> = new Set(['http:', 'https:', 'android-app:']);

function hostOf(url: string): string | null {
  const parsed = URL.parse(url);
  if (parsed === null || !REFERRER_PROTOCOLS.has(parsed.protocol)) return null;
  return storable(parsed.hostname.toLowerCase().replace(/^www\.|\.$/g, ''));
}

/** Prefixes of a site's hosts for outgoing links or for phones; the source is the same. */
const LINK_HOST = /^(?:m|l|lm|mobile|amp|out|old|web|touch)\./;

/**
 * Sources as GA4 has them: a search engine by its name (`google`), any other site by its host. A link from
 * the page's own host is not a source.
 */
function readReferrer(referrer: string | null, url: string | null): Inference | null {
  const host = referrer === null ? null : hostOf(referrer);
  if (host === null || (url !== null && host === hostOf(url))) return null;
  const site = findSite(host);
  if (site === undefined) return { source: host, medium: 'referral' };
  if (site.category === 'ai') return { source: host, medium: 'ai-assistant' };
  return { source: site.category === 'search' ? site.name : host.replace(LINK_HOST, ''), medium: 'organic' };
}

function fold(text: string | null): string {
  return text === null ? '' : text.trim().toLowerCase();
}

/** A source is a name or a domain, but senders also put whole URLs there. */
function siteOf(source: string | null): Site | undefined {
  const text = fold(source);
  const scheme = text.indexOf('://');
  return findSite(text.slice(scheme === -1 ? 0 : scheme + 3).split('/', 1)[0] ?? '');
}

/** Google sells the ads on YouTube, so a Google click id agrees with both. */
function isSameSite(source: string, inferred: string): boolean {
  const [name, other] = [siteOf(source)?.name ?? fold(source), siteOf(inferred)?.name ?? inferred];
  return name === other || (name === 'youtube' && other === 'google');
}

/**
 * Fills in missing fields. The UTM tags come first, each for itself, because they are explicit like the sent
 * fields. Then follow click ids, then the referrer, then link ids. These imply a pair of source and medium:
 * they fill in the source if there is none, and the medium only if the source is the one they imply.
 */
function resolveOrigin(evidence: ChannelEvidence): Origin {
  const [url, referrer] = [given(evidence.url), given(evidence.referrer)];
  const tags = readTags(url);
  const { content, term } = tags;
  const source = given(evidence.source) ?? tags.source;
  const medium = given(evidence.medium) ?? tags.medium;
  const campaign = given(evidence.campaign) ?? tags.campaign;
  if (source !== null && medium !== null) return { source, medium, campaign, content, term };
  const inferred = tags.adClick ?? readReferrer(referrer, url) ?? tags.linkClick;
  if (inferred === null) return { source, medium, campaign, content, term };
  const agrees = source === null || isSameSite(source, inferred.source);
  return {
    source: source ?? inferred.source,
    medium: agrees ? (medium ?? inferred.medium) : medium,
    campaign,
    content,
    term,
  };
}

const NO_SOURCE: ReadonlySet<string> = new Set(['', 'direct', '(direct)']);
const NO_VALUE: ReadonlySet<string> = new Set(['', '(none)', '(not set)', '(direct)']);
const DIRECT_KINDS: ReadonlySet<Kind> = new Set<Kind>(['visit', 'click', 'view']);
const DISPLAY_MEDIUMS: ReadonlySet<string> = new Set('display banner expandable interstitial cpm'.split(' '));
const SOCIAL_MEDIUMS: ReadonlySet<string> = new Set([
  'social',
  'social-network',
  'social-media',
  'sm',
  'social network',
  'social media',
]);
const REFERRAL_MEDIUMS: ReadonlySet<string> = new Set(['referral', 'app', 'link']);
const EMAIL_WORDS: ReadonlySet<string> = new Set(['email', 'e-mail', 'e_mail', 'e mail']);
/** Google's `^(.*(([^a-df-z]|^)shop|shopping).*)$`: `shop` after no letter but e, as in `eshop`. */
const SHOPPING_CAMPAIGN = /(?:^|[^a-df-z])shop|shopping/;

/** Google's `^(.*cp.*|ppc|retargeting|paid.*)$`. */
function isPaid(medium: string): boolean {
  return medium.includes('cp') || medium === 'ppc' || medium === 'retargeting' || medium.startsWith('paid');
}

function paidChannel(category: Site['category'] | undefined, isShopping: boolean): Channel | null {
  if (isShopping) return 'paid_shopping';
  if (category === 'search' || category === 'social' || category === 'video') return `paid_${category}`;
  return null;
}

function ruleChannel(source: string, medium: string, campaign: string): Channel {
  const category = siteOf(source)?.category;
  const isShopping = category === 'shopping' || SHOPPING_CAMPAIGN.test(campaign);
  const paid = isPaid(medium);
  if (campaign.includes('cross-network')) return 'cross_network';
  const paidSite = paid ? paidChannel(category, isShopping) : null;
  if (paidSite !== null) return paidSite;
  if (DISPLAY_MEDIUMS.has(medium)) return 'display';
  if (paid) return 'paid_other';
  if (category === 'ai' || medium === 'ai-assistant') return 'ai_assistant';
  if (isShopping) return 'organic_shopping';
  if (category === 'social' || SOCIAL_MEDIUMS.has(medium)) return 'organic_social';
  if (category === 'video' || medium.includes('video')) return 'organic_video';
  if (category === 'search' || medium === 'organic') return 'organic_search';
  if (REFERRAL_MEDIUMS.has(medium)) return 'referral';
  if (EMAIL_WORDS.has(source) || EMAIL_WORDS.has(medium)) return 'email';
  if (medium === 'affiliate') return 'affiliates';
  if (medium === 'audio') return 'audio';
  if (source === 'sms' || medium === 'sms') return 'sms';
  if (medium.endsWith('push') || medium.includes('mobile') || medium.includes('notification')) {
    return 'mobile_push_notifications';
  }
  return source === 'firebase' ? 'mobile_push_notifications' : 'unassigned';
}

/**
 * Derives the channel of a touchpoint, and the origin behind it, by GA4's default channel group rules
 * (source: see CHANNELS), without Google's rules for linked ad accounts.
 *
 * Fields that were sent take precedence and are kept as sent. Missing ones come from the UTM tags of `url`,
 * then its click ids, then `referrer`. Matching ignores case. Only a `visit`, `click` or `view` without
 * source, medium and campaign is `direct`.
 *
 * Google's rules leave two points of `ai_assistant` open. Here it also applies if the source is a listed
 * assistant: GA4 sets the medium `ai-assistant` from the referrer, but ChatGPT's own links carry only
 * `utm_source`. It comes after the paid rules, because an ad on an assistant is an ad, and before the organic
 * ones, because gemini.google.com is Google's as well.
 * @returns origin texts as sent, or cut to 255 characters if filled in; never throws, whatever the strings
 */
export function deriveChannel(touchpoint: ChannelEvidence): Origin & { channel: Channel } {
  const origin = resolveOrigin(touchpoint);
  const [source, medium, campaign] = [fold(origin.source), fold(origin.medium), fold(origin.campaign)];
  if (NO_SOURCE.has(source) && NO_VALUE.has(medium) && NO_VALUE.has(campaign)) {
    return { channel: DIRECT_KINDS.has(touchpoint.kind) ? 'direct' : 'unassigned', ...origin };
  }
  return { channel: ruleChannel(source, medium, campaign), ...origin };
}
