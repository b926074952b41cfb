import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHANNELS, type ChannelEvidence, deriveChannel } from '../../src/domain/channels.ts';
import { KINDS } from '../../src/domain/touchpoint-fields.ts';

const derive = (sent: Partial<ChannelEvidence>) => deriveChannel({ kind: 'visit', ...sent });
const channelOf = (sent: Partial<ChannelEvidence>) => derive(sent).channel;
const landing = (query: string) => `https://shop.example/page?${query}`;
/** `channel: source / medium` in one text. */
const said = (sent: Partial<ChannelEvidence>) => {
  const { channel, source, medium } = derive(sent);
  return `${channel}: ${source} / ${medium}`;
};

/** One row per line, cells separated by `|`; an empty cell is the empty text, which counts as absent. */
const rows = (table: string) =>
  table
    .trim()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));
const eachRow = (table: string) => test.each(rows(table));

/** A medium cell may contain several mediums, separated by commas: the row applies to each. */
const RULES = rows(`
  cross_network             | google         | cpc                                               | a cross-network b
  cross_network             |                |                                                   | cross-network
  paid_shopping             | amazon         | cpc                                               |
  paid_shopping             | newsletter     | paid                                              | spring-shop
  paid_search               | google         | cpc, ppc, retargeting, paid, paid-search, cpm     |
  paid_social               | facebook       | paid_social, cpc                                  |
  paid_video                | youtube        | cpc, paid                                         |
  display                   | adnetwork      | display, banner, expandable, interstitial, cpm    |
  paid_other                | adnetwork      | cpc, ppc, retargeting, paid                       |
  ai_assistant              | anything       | ai-assistant                                      |
  ai_assistant              | chatgpt.com    |                                                   |
  organic_shopping          | etsy           |                                                   |
  organic_shopping          | newsletter     | email                                             | eshop-week
  organic_social            | reddit         |                                                   |
  organic_social            | acme           | social-network, social network                    |
  organic_social            | acme           | social, sm, social-media, social media            |
  organic_video             | youtube        |                                                   |
  organic_video             | acme           | video, webvideo                                   |
  organic_search            | google         |                                                   |
  organic_search            | acme           | organic                                           |
  referral                  | blog.example   | referral, app, link                               |
  email                     | spring         | email, e-mail, e_mail, e mail                     |
  email                     | e-mail         |                                                   |
  email                     |                | email                                             |
  affiliates                | partner        | affiliate                                         |
  audio                     | podcast        | audio                                             |
  sms                       | sms            |                                                   |
  sms                       | twilio         | sms                                               |
  mobile_push_notifications | acme           | web-push, mobile-app, notifications               |
  mobile_push_notifications | firebase       |                                                   |
  direct                    |                |                                                   |
  direct                    | (direct)       | (none), (not set)                                 |
  direct                    | direct         |                                                   |
  unassigned                | acme           | unheard-of                                        |
  unassigned                | (not set)      | (not set)                                         |
`);

describe('each GA4 rule gives its channel', () => {
  test.each(RULES)('%s: source "%s", medium "%s", campaign "%s"', (channel, source, list = '', campaign) => {
    for (const medium of list.split(', ')) expect(channelOf({ source, medium, campaign })).toBe(channel);
  });

  test('the rows above reach every one of CHANNELS, in its order', () => {
    expect([...new Set(RULES.map(([channel]) => channel))]).toEqual([...CHANNELS]);
  });
});

describe('the first rule that fits wins', () => {
  eachRow(`
    cross-network before paid search   | cross_network    | google            | cpc       | cross-network
    a shopping campaign before the site | paid_shopping   | facebook          | cpc       | shop
    display before organic search      | display          | google            | display   |
    an AI assistant before search      | ai_assistant     | gemini.google.com | organic   |
    shopping before social             | organic_shopping | facebook          |           | shop
    a social site before its medium    | organic_social   | facebook          | email     |
    social before video                | organic_social   | facebook          | video     |
    video before search                | organic_video    | youtube           | organic   |
    search before referral             | organic_search   | google            | referral  |
    referral before email              | referral         | email             | referral  |
    email before sms                   | email            | sms               | email     |
    affiliates before sms              | affiliates       | sms               | affiliate |
    sms before push                    | sms              | firebase          | sms       |
  `)('%s', (_rule, channel, source, medium, campaign) => {
    expect(channelOf({ source, medium, campaign })).toBe(channel);
  });

  test.each([
    ['organic_search', 'workshop bishop'],
    ['organic_shopping', 'shop eshop my-shop 1shop window-shopping'],
  ])('a campaign is of shopping where "shop" follows no letter but e: %s for %s', (channel, campaigns) => {
    for (const campaign of campaigns.split(' ')) {
      expect(channelOf({ source: 'bing', campaign }), campaign).toBe(channel);
    }
  });
});

describe('direct is only a visit, click or view that nothing was sent for', () => {
  test.each(KINDS.map((kind) => [kind, ['visit', 'click', 'view'].includes(kind) ? 'direct' : 'unassigned']))(
    '%s without any source is %s',
    (kind, channel) => {
      const nothing = { source: null, medium: null, campaign: null, content: null, term: null };
      expect(deriveChannel({ kind })).toEqual({ channel, ...nothing });
      expect(channelOf({ kind, source: '(direct)', medium: '(none)' })).toBe(channel);
    },
  );

  test('a mention on a known site has that site’s channel: the kind matters to direct only', () => {
    expect(channelOf({ kind: 'mention', source: 'x.com' })).toBe('organic_social');
  });

  test('a visit with a campaign but no source was tagged, so it is unassigned', () => {
    expect(channelOf({ url: landing('utm_campaign=spring') })).toBe('unassigned');
  });

  test('blank texts are as good as none', () => {
    expect(said({ source: ' ', medium: '', url: '', referrer: '' })).toBe('direct: null / null');
  });
});

describe('sites are known by bare name, domain, subdomain and country domain', () => {
  eachRow(`
    organic_social   | facebook fb m.facebook.com l.facebook.com linkedin lnkd.in de.linkedin.com reddit old.reddit.com
    organic_social   | x x.com twitter t.co mobile.twitter.com discord discord.gg threads threads.net tiktok
    organic_social   | bluesky bsky.app mastodon mastodon.social hackernews news.ycombinator.com github.com
    organic_social   | instagram l.instagram.com pinterest.co.uk groups.google.com com.linkedin.android
    organic_social   | https://www.facebook.com/acme/posts/1
    organic_video    | youtube m.youtube.com youtu.be twitch.tv vimeo player.vimeo.com
    organic_search   | google google.com www.google.co.uk google.com.br google.de news.google.com duckduckgo baidu
    organic_search   | bing.com cn.bing.com yahoo.co.jp uk.search.yahoo.com espanol.search.yahoo.com yandex.ru
    organic_search   | ecosia.org search.brave.com m.search.naver.com www.search.smt.docomo.ne.jp
    organic_shopping | amazon amazon.co.uk www.amazon.com.br ebay.de etsy.com shopping.yahoo.co.jp
    ai_assistant     | chatgpt chatgpt.com claude.ai gemini.google.com perplexity.ai chat.deepseek.com
  `)('%s: %s', (channel, sources = '') => {
    for (const source of sources.split(' ')) expect(channelOf({ source }), source).toBe(channel);
  });

  eachRow(`
    a look-alike                            | notfacebook.com google.evil.com facebook.com.evil.example google.dev
    a search company’s other services       | docs.google.com mail.yahoo.com
    a listed site’s service of another kind | aws.amazon.com
    a part of a domain                      | com . .. x. .com
    a property that every object has        | constructor __proto__ toString
  `)('%s is no known site: %s', (_why, sources = '') => {
    for (const source of sources.split(' ')) expect(channelOf({ source }), source).toBe('unassigned');
  });

  test('case and outer spaces do not matter to the match, and the texts come back as sent', () => {
    const sent = { source: ' FaceBook ', medium: 'CPC', campaign: 'Spring' };
    expect(derive(sent)).toEqual({ channel: 'paid_social', ...sent, content: null, term: null });
    expect(channelOf({ source: 'Acme', medium: 'E-Mail' })).toBe('email');
    expect(channelOf({ source: 'Acme', campaign: 'Cross-Network' })).toBe('cross_network');
  });
});

describe('UTM tags fill what was not sent', () => {
  test('all five tags are read and decoded', () => {
    const query = 'utm_source=a%20b&utm_medium=e-mail&utm_campaign=a+b&utm_content=c%26d&utm_term=%C3%A9#x';
    const origin = { source: 'a b', medium: 'e-mail', campaign: 'a b', content: 'c&d', term: 'é' };
    expect(derive({ url: landing(query) })).toEqual({ channel: 'email', ...origin });
  });

  test('a sent field wins over its tag, each field by itself', () => {
    const url = landing('utm_source=google&utm_medium=cpc&utm_campaign=tag');
    expect(said({ source: 'facebook', url })).toBe('paid_social: facebook / cpc');
    expect(derive({ source: 'facebook', url }).campaign).toBe('tag');
  });

  test('a filled text is cut to 255 characters and never holds what the database refuses', () => {
    expect(derive({ url: landing(`utm_source=${'a'.repeat(10_000)}`) }).source).toBe('a'.repeat(255));
    expect(derive({ url: landing('utm_source=a%00b') }).source).toBeNull();
    expect(derive({ url: landing(`utm_source=${'a'.repeat(254)}😀`) }).source?.isWellFormed()).toBe(true);
  });
});

describe('what wins, where a visit says several things', () => {
  eachRow(`
    a tag over a click id                        | gclid=a&utm_source=spring&utm_medium=email | | email: spring / email
    a tag over the referrer                      | utm_source=bing&utm_medium=cpc | https://t.co/ | paid_search: bing / cpc
    the first of equal tags that is not empty    | utm_source=&utm_source=bing&utm_source=x   | | organic_search: bing / null
    a tag without borrowing the referrer’s medium | utm_source=spring | https://www.google.com/ | unassigned: spring / null
    a tag without borrowing a click id’s medium  | utm_source=x&gclid=a                       | | organic_social: x / null
    a tagged medium with the click id’s source   | utm_medium=retargeting&gclid=a      | | paid_search: google / retargeting
    an ad click id over the referrer             | gclid=a | https://www.google.com/ | paid_search: google / cpc
    the strongest click id if it stands last     | fbclid=a&dclid=b&gclid=c                   | | paid_search: google / cpc
    the strongest click id if it stands first    | gclid=c&dclid=b&fbclid=a                   | | paid_search: google / cpc
    the referrer over fbclid, which is never paid | fbclid=a | https://l.instagram.com/ | organic_social: instagram.com / organic
    the referrer over a copied fbclid            | fbclid=a | https://blog.example/ | referral: blog.example / referral
    nothing by an empty click id                 | gclid=                                     | | direct: null / null
    nothing by a tag in the fragment             | #/?utm_source=bing                         | | direct: null / null
  `)('%s: ?%s from "%s"', (_rule, query = '', referrer, result) => {
    expect(said({ url: landing(query), referrer })).toBe(result);
  });
});

describe('click ids', () => {
  eachRow(`
    gclid gbraid wbraid | paid_search: google / cpc
    dclid               | display: google / display
    msclkid             | paid_search: bing / cpc
    yclid               | paid_search: yandex / cpc
    ttclid              | paid_social: tiktok / paid_social
    twclid              | paid_social: twitter / paid_social
    li_fat_id           | paid_social: linkedin / paid_social
    rdt_cid             | paid_social: reddit / paid_social
    ScCid               | paid_social: snapchat / paid_social
    epik                | paid_social: pinterest / paid_social
    irclickid           | affiliates: impact / affiliate
    awc                 | affiliates: awin / affiliate
    cjevent             | affiliates: cj / affiliate
    fbclid              | organic_social: facebook / social
    igsh igshid         | organic_social: instagram / social
  `)('%s alone gives %s', (names = '', result) => {
    for (const name of names.split(' ')) expect(said({ url: landing(`${name}=abc`) }), name).toBe(result);
  });

  eachRow(`
    www.google.de | gclid     | paid_search: www.google.de / cpc
    youtube       | gclid     | paid_video: youtube / cpc
    x.com         | twclid    | paid_social: x.com / paid_social
    lnkd.in       | li_fat_id | paid_social: lnkd.in / paid_social
  `)('source %s without a medium takes it from its own %s: %s', (source, name, result) => {
    expect(said({ source, url: landing(`${name}=abc`) })).toBe(result);
  });
});

describe('the referrer', () => {
  eachRow(`
    https://www.google.co.uk/                              | organic_search: google / organic
    https://uk.search.yahoo.com/                           | organic_search: yahoo / organic
    android-app://com.google.android.googlequicksearchbox/ | organic_search: google / organic
    https://l.facebook.com/l.php?u=1                       | organic_social: facebook.com / organic
    https://t.co/abc                                       | organic_social: t.co / organic
    android-app://com.linkedin.android                     | organic_social: com.linkedin.android / organic
    https://m.youtube.com/watch                            | organic_video: youtube.com / organic
    https://www.amazon.de/                                 | organic_shopping: amazon.de / organic
    https://chatgpt.com/                                   | ai_assistant: chatgpt.com / ai-assistant
    https://gemini.google.com/app                          | ai_assistant: gemini.google.com / ai-assistant
    https://docs.google.com/                               | referral: docs.google.com / referral
    https://www.Blog.Example./post                         | referral: blog.example / referral
    https://user:pw@blog.example:8443/                     | referral: blog.example / referral
  `)('%s gives %s', (referrer, result) => {
    expect(said({ url: 'https://shop.example/', referrer })).toBe(result);
  });

  test('a referrer of the page’s own host is a self-referral and counts as none; another subdomain is not', () => {
    const url = 'http://SHOP.example:8080/thanks';
    expect(said({ url, referrer: 'https://www.shop.example/cart' })).toBe('direct: null / null');
    expect(channelOf({ url, referrer: 'https://blog.shop.example/' })).toBe('referral');
  });

  test('a referrer that names no web site or app counts as none', () => {
    const texts = 'about:blank mailto:a@blog.example chrome-extension://abc/ javascript:void(0) https:// b';
    for (const referrer of texts.split(' ')) expect(channelOf({ referrer }), referrer).toBe('direct');
  });

  test('a sent source without a medium takes the medium only from a referrer that is that source', () => {
    const referrer = 'https://www.blog.example/post';
    expect(said({ source: 'Blog.example', referrer })).toBe('referral: Blog.example / referral');
    expect(said({ source: 'other.example', referrer })).toBe('unassigned: other.example / null');
  });
});

describe('any strings', () => {
  test('malformed text neither throws nor invents a medium', () => {
    const texts = 'https://[::1 http://% ?utm_source=%E0%A4%A %%%?&&=&=?# \u0000 \uD800 ?__proto__=1&=x';
    for (const text of texts.split(' ')) expect(derive({ url: text, referrer: text }).medium).toBeNull();
  });

  test('1,000 touchpoints of 10,000-character values fit in the time limit of one test', () => {
    for (const part of ['a', '.', 'a.', 'shop', 'esho', '&', '?utm_source=%', 'cp', '/', ' ']) {
      const text = part.repeat(10_000 / part.length);
      const sent = { source: text, medium: text, campaign: text, url: text, referrer: `https://${text}` };
      for (let round = 0; round < 100; round += 1) expect(CHANNELS).toContain(channelOf(sent));
    }
  });

  test('whatever is sent, the answer is one of CHANNELS, and what was sent comes back as sent', () => {
    const words = 'google x.com cpc organic shop __proto__ cross-network (direct)';
    const word = fc.constantFrom(...words.split(' '));
    const parameter = fc.tuple(fc.constantFrom('utm_source', 'utm_medium', 'gclid', 'fbclid'), fc.string());
    const tagged = fc.array(parameter).map((pairs) => landing(pairs.map((pair) => pair.join('=')).join('&')));
    const text = fc.option(fc.oneof(word, fc.string({ unit: 'binary' }), fc.webUrl(), tagged));
    const texts = { source: text, medium: text, campaign: text, url: text, referrer: text };
    fc.assert(
      fc.property(fc.record({ kind: fc.constantFrom(...KINDS), ...texts }), (touchpoint) => {
        const derived = deriveChannel(touchpoint);
        expect(CHANNELS).toContain(derived.channel);
        for (const field of ['source', 'medium', 'campaign'] as const) {
          if (touchpoint[field]?.trim()) expect(derived[field]).toBe(touchpoint[field]);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
