/**
 * The categories of sites that GA4's channel rules refer to as lists of search, social, shopping and video
 * sites, and AI assistants.
 *
 * Source of the first four lists: the list of sources linked from
 * https://support.google.com/analytics/answer/9756891, as copied in github.com/plausible/analytics
 * (priv/ga4-source-categories.csv) and github.com/Velir/dbt-ga4 (seeds/ga4_source_categories.csv),
 * reduced to sites that still send visitors. That list is years old, so these were added: x,
 * bluesky, mastodon, threads, discord, telegram, slack, github, substack, producthunt, lobste.rs
 * and truthsocial (social), youtu.be, rumble, bilibili, odysee, kick and loom (video), brave,
 * startpage, kagi, mojeek, swisscows and ya.ru (search), temu, shein, aliexpress, flipkart,
 * zalando and shopee (shopping). Google publishes no list of AI assistants, only examples
 * (ChatGPT, Gemini, Claude, Copilot, DeepSeek, Grok); the other assistants are our choice.
 */
export type SiteCategory = 'search' | 'social' | 'shopping' | 'video' | 'ai';

/** `name` is the same for all addresses of a site: `google` for `www.google.co.uk`, `twitter` for `t.co`. */
export interface Site {
  readonly category: SiteCategory;
  readonly name: string;
}

/**
 * Comma-separated entries, each `entry` or `entry>name`. `everywhere`: the bare name, its
 * `.com` and its country domains. `com`: the bare name and its `.com`. `exact`: only that
 * domain or bare name. Subdomains always count.
 */
interface SiteList {
  readonly everywhere: string;
  readonly com: string;
  readonly exact: string;
}

const SITE_LISTS: Readonly<Record<SiteCategory, SiteList>> = {
  search: {
    everywhere: 'google, bing, yahoo, yandex, aol, qwant',
    com: 'ask, baidu, dogpile, duckduckgo, exalead, excite, kagi, lycos, mojeek, msn, naver, sogou, startpage, swisscows',
    exact: `360.cn, biglobe, biglobe.co.jp, biglobe.ne.jp, brave, search.brave.com>brave, centrum.cz, daum, daum.net>daum,
      ecosia, ecosia.org>ecosia, eniro, go.mail.ru, google-play>google, googlemybusiness>google,
      com.google.android.googlequicksearchbox>google, onet, onet.pl>onet, rakuten, rakuten.co.jp>rakuten, rambler,
      rambler.ru>rambler, search.auone.jp, search.smt.docomo.ne.jp, search.ukr.net, seznam, seznam.cz>seznam,
      firmy.cz, so.com, startsiden, startsiden.no>startsiden, tut.by, virgilio, virgilio.it>virgilio, ya.ru>yandex`,
  },
  social: {
    everywhere: 'pinterest, tripadvisor, yelp',
    com: `ancestry, badoo, blackplanet, blogger, blogspot, bluesky, buzzfeed, classmates, crunchyroll, deviantart,
      dianping, digg, diigo, discord, discordapp>discord, disqus, douban, facebook, fandom, fark, fb>facebook, flickr,
      flipboard, foursquare, github, glassdoor, goodreads, habbo, hi5, hootsuite, houzz, hubpages, imageshack, imvu,
      instagram, instapaper, kakao, linkedin, livejournal, medium, meetup, messenger, mubi, myheritage, myspace,
      netvibes, ning, photobucket, plurk, producthunt, quora, ravelry, reddit, renren, scribd, secondlife, serverfault,
      skype, skyrock, slack, snapchat, stackexchange, stackoverflow, substack, superuser, techmeme, tagged, telegram,
      tencent, threads, tiktok, tinyurl, truthsocial, trustpilot, tumblr, tweetdeck, twitter, typepad, wattpad, wechat,
      weebly, weibo, whatsapp, wikihow, wordpress, x>twitter, xing, yammer, zalo`,
    exact: `5ch.net, academia.edu, ameba.jp, ameblo.jp, askubuntu.com, b.hatena.ne.jp, hatena, bit.ly, blog.naver.com,
      bsky>bluesky, bsky.app>bluesky, bsky.social>bluesky, cafe.naver.com, kin.naver.com, chegg.com, discord.gg>discord,
      com.discord>discord, draugiem.lv, fb.me>facebook, com.facebook.katana>facebook, getpocket.com, goo.gl, google+,
      googleplus, plus.google.com, groups.google.com, messages.google.com, sites.google.com, gutefrage.net, hackernews,
      hacker news>hackernews, hacker-news>hackernews, hn>hackernews, news.ycombinator.com>hackernews, ig>instagram,
      com.instagram.android>instagram, internations.org, is.gd, last.fm, librarything.com, line, line.me>line,
      lnkd.in>linkedin, com.linkedin.android>linkedin, lobste.rs, mastodon, mastodon.social>mastodon,
      mastodon.online>mastodon, mstdn.social>mastodon, fosstodon.org>mastodon, hachyderm.io>mastodon, meneame.net,
      mix.com, mixi.jp, myanimelist.net, nicovideo.jp, niconico, odnoklassniki.ru, ok.ru, out.reddit.com>reddit,
      com.reddit.frontpage>reddit, redd.it>reddit, paper.li, pin.it>pinterest, pinboard.in, pixiv.net, pocket.co,
      qzone.qq.com, researchgate.net, scoop.it, slashdot.org, slideshare.net, smartnews.com, social, t.co>twitter,
      com.twitter.android>twitter, t.me>telegram, telegram.me>telegram, telegram.org>telegram,
      org.telegram.messenger>telegram, taringa.net, threads.net>threads, vk, vk.com>vk, vkontakte>vk, vkontakte.ru>vk,
      wa.me>whatsapp, wikitravel.org, wordpress.org>wordpress, zalo.me>zalo`,
  },
  shopping: {
    everywhere: 'aliexpress, amazon, ebay, mercadolibre, mercadolivre, shein, shopee, temu, zalando',
    com: 'alibaba, etsy, flipkart, shopify, shopzilla, stripe, walmart',
    exact: `amazon-adsystem.com>amazon, amzn.to>amazon, google shopping, igshopping, shop.app, shopping.google.com,
      shopping.naver.com, shopping.net, shopping.yahoo.com, shopping.yahoo.co.jp, simplycodes.com`,
  },
  video: {
    everywhere: 'youtube',
    com: `bilibili, crackle, curiositystream, dailymotion, disneyplus, hulu, iqiyi, kick, loom, netflix, odysee, rumble,
      ted, utreon, veoh, vimeo, wistia, youku`,
    exact: `d.tube, fast.wistia.net, iq.com>iqiyi, justin.tv, twitch, twitch.tv>twitch, youtu.be>youtube,
      youtube-nocookie.com>youtube, com.google.android.youtube>youtube`,
  },
  ai: {
    everywhere: '',
    com: 'chatgpt, deepseek, grok, openai',
    exact: `claude, claude.ai>claude, copilot, copilot.microsoft.com>copilot, copilot.cloud.microsoft>copilot, duck.ai,
      gemini, gemini.google.com>gemini, bard.google.com>gemini, kimi.com, meta.ai, chat.mistral.ai, notebooklm.google.com,
      perplexity, perplexity.ai>perplexity, phind.com, pi.ai, poe.com, you.com`,
  },
};

/**
 * Search companies run many other services (docs.google.com, mail.yahoo.com), which Google's list does not
 * cover. A subdomain of a search site counts only if one of its labels is `search`, or if each label is in
 * this set or is a country or language code.
 */
const SEARCH_LABELS: ReadonlySet<string> = new Set(
  'www cse html images lens lite mobile news noai ntp play start suche wap'.split(' '),
);

/** Services of a listed site that do not belong to its category. */
const NOT_A_SITE: ReadonlySet<string> = new Set(['aws.amazon.com']);

/** The longest listed domain, search.smt.docomo.ne.jp, has 5 labels. */
const LABELS_READ = 5;
/** Source: RFC 1035, section 2.3.4. */
const HOST_MAX_CHARS = 253;
const COUNTRY_DOMAIN = /^(?:com|(?:com?\.)?[a-z]{2})$/;

const SITES = new Map<string, Site>();
const SITES_EVERYWHERE = new Map<string, Site>();

function addSites(category: SiteCategory, entries: string, add: (entry: string, site: Site) => void): void {
  for (const item of entries.split(',')) {
    const [entry = '', name = entry] = item.trim().split('>');
    if (entry !== '') add(entry, { category, name });
  }
}

for (const category of ['search', 'social', 'shopping', 'video', 'ai'] as const) {
  const list = SITE_LISTS[category];
  addSites(category, list.everywhere, (entry, site) => {
    SITES.set(entry, site);
    SITES_EVERYWHERE.set(entry, site);
  });
  addSites(category, list.com, (entry, site) => SITES.set(entry, site).set(`${entry}.com`, site));
  addSites(category, list.exact, (entry, site) => SITES.set(entry, site));
}

function belongsToSearch(subdomain: readonly string[]): boolean {
  return (
    subdomain.includes('search') || subdomain.every((label) => label.length <= 2 || SEARCH_LABELS.has(label))
  );
}

/**
 * Finds the listed site of a bare name or a host. The most specific entry decides:
 * `gemini.google.com` before `google.com`.
 * @param source any string, lower case and trimmed
 * @returns undefined if the site is on no list, as look-alikes such as `google.evil.com` and
 * `notfacebook.com` are not
 */
export function findSite(source: string): Site | undefined {
  const listed = SITES.get(source);
  if (listed !== undefined || source.length > HOST_MAX_CHARS) return listed;
  const labels = source.split('.');
  for (let from = Math.max(0, labels.length - LABELS_READ); from < labels.length - 1; from += 1) {
    const domain = labels.slice(from).join('.');
    if (NOT_A_SITE.has(domain)) return undefined;
    const rest = labels.slice(from + 1).join('.');
    const everywhere = COUNTRY_DOMAIN.test(rest) ? SITES_EVERYWHERE.get(labels[from] ?? '') : undefined;
    const site = SITES.get(domain) ?? everywhere;
    if (site === undefined) continue;
    return site.category !== 'search' || belongsToSearch(labels.slice(0, from)) ? site : undefined;
  }
  return undefined;
}
