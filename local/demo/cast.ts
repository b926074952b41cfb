import type { Random } from './random.ts';

export const NETWORKS = ['x', 'linkedin', 'reddit', 'discord'] as const;
export type Network = (typeof NETWORKS)[number];

/** A person of the story. All names are invented, and the mail domains are reserved for examples. */
export interface Member {
  email: string;
  user_id: string;
  handles: Record<Network, string>;
  /** One browser or two. With two, some visits are never recognised. */
  anonymous_ids: string[];
  /** 0 (never comes back) to 1 (buys unless something goes wrong). */
  interest: number;
}

const FIRST =
  'ada ben cleo dara emil faye gus hana ivo jun kira lars mina noor otis pia quin rosa sven tara ' +
  'uma vito wren xena yuri zoe alma bram cora dion elsa finn gwen hugo iris joel kaya leon maja nils';
const LAST =
  'abbot birch carver dale ember flint grove hale irwin jasper kestrel lind marsh north oakes pell ' +
  'quill reed stone thorne ulmer vale wicks yarrow zeller ash brook crane dunn elm frost glen holt ' +
  'ivers juniper keel lowe moss nash orchard';
const COMPANY =
  'northgate harbour amber summit valley meadow granite cobalt juniper willow falcon beacon cedar ' +
  'prairie lagoon ridge copper heather orchid saffron';
const TRADE = 'parcels couriers logistics freight deliveries grocers florists bakers fleet';

const [firstNames, lastNames, companies, trades] = [FIRST, LAST, COMPANY, TRADE].map((text) =>
  text.split(' '),
);

/** The `index`-th person, 0 to 1,599; within this range no two have the same name. */
export function castMember(index: number, random: Random): Member {
  const first = at(firstNames, index * 7);
  const last = at(lastNames, index * 11 + Math.floor(index / 40));
  const number = 100 + index;
  const company = `${random.pick(companies ?? [])}-${random.pick(trades ?? [])}`;
  const devices = random.chance(0.15) ? 2 : 1;
  return {
    email: `${first}.${last}@${company}.example`,
    user_id: `u-${1000 + index}`,
    handles: {
      x: `@${first}_${last}_${number}`,
      linkedin: `${first}-${last}-${number}`,
      reddit: `${first}_${number}_${last}`,
      discord: `${last}.${first}.${number}`,
    },
    anonymous_ids: Array.from({ length: devices }, () => newAnonymousId(random)),
    // Most people only pass by.
    interest: random.next() ** 1.6,
  };
}

function newAnonymousId(random: Random): string {
  return `anon-${Array.from({ length: 4 }, () => random.integer(0, 0xffff).toString(16).padStart(4, '0')).join('')}`;
}

function at(names: readonly string[] | undefined, index: number): string {
  return names?.[index % names.length] ?? '';
}
