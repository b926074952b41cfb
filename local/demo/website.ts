import type { Network } from './cast.ts';
import type { Random } from './random.ts';

/** How a person reaches the website. */
export const VISIT_ORIGINS = [
  'organic_search',
  'paid_search',
  'paid_social',
  'organic_social',
  'referral',
  'ai_assistant',
  'direct',
] as const;
export type VisitOrigin = (typeof VISIT_ORIGINS)[number];

interface Page {
  url: string;
  referrer?: string;
}

interface PageContext {
  random: Random;
  campaign: string;
  /** The network of the link that was clicked. */
  via: Network;
}

const SITE = 'https://larkhollow.example';
const PATHS = ['/', '/pricing', '/routes', '/compare', '/blog/fewer-miles', '/docs/api'];
const SEARCH_ENGINES = [
  ['https://www.google.com/', 8],
  ['https://www.bing.com/', 1],
  ['https://duckduckgo.com/', 1],
] as const;
const SEARCH_TERMS = ['route planner', 'delivery route software', 'fleet planning', 'larkhollow'];
const NETWORK_REFERRERS = {
  x: 'https://t.co/',
  linkedin: 'https://www.linkedin.com/',
  reddit: 'https://www.reddit.com/',
  discord: 'https://discord.com/',
} as const;
const ASSISTANTS = ['https://chatgpt.com/', 'https://www.perplexity.ai/', 'https://claude.ai/'];

/** The URL and the referrer of a visit, with the tags and click ids that its origin adds. */
export function pageOf(origin: VisitOrigin, { random, campaign, via }: PageContext): Page {
  const path = random.pick(PATHS);
  const page = (tags: Record<string, string>): string => `${SITE}${path}?${new URLSearchParams(tags)}`;
  switch (origin) {
    case 'organic_search':
      return { url: SITE + path, referrer: random.weighted(SEARCH_ENGINES) };
    case 'paid_search': {
      const tags = utm('google', 'cpc', campaign, { utm_term: random.pick(SEARCH_TERMS) });
      return { url: page({ ...tags, gclid: clickId(random) }), referrer: 'https://www.google.com/' };
    }
    case 'paid_social': {
      const tags = utm('linkedin', 'paid_social', campaign, { utm_content: random.pick(['map', 'driver']) });
      return { url: page({ ...tags, li_fat_id: clickId(random) }) };
    }
    case 'organic_social': {
      const referrer = NETWORK_REFERRERS[via];
      return random.chance(0.5)
        ? { url: page(utm(via, 'social', campaign)), referrer }
        : { url: SITE + path, referrer };
    }
    case 'referral':
      return { url: SITE + path, referrer: 'https://fleet-weekly.example/best-route-planners' };
    case 'ai_assistant':
      return { url: SITE + path, referrer: random.pick(ASSISTANTS) };
    case 'direct':
      return { url: SITE + path };
  }
}

function utm(source: string, medium: string, campaign: string, more: Record<string, string> = {}) {
  return { utm_source: source, utm_medium: medium, utm_campaign: campaign, ...more };
}

function clickId(random: Random): string {
  return Array.from({ length: 4 }, () =>
    random
      .integer(0, 36 ** 5 - 1)
      .toString(36)
      .padStart(5, '0'),
  ).join('');
}
