import type { Explanation } from '../../src/attribution/attribution-schema.ts';
import { DEMO_MODELS } from './attribution-view.ts';
import { NETWORKS, type Network } from './cast.ts';
import { count, money, type Paint, row, rule } from './terminal.ts';

const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3_600;
/** A journey must be interesting, and short enough to read. */
const TOUCHES = { min: 5, max: 9 };
const WIDTHS = [5, 23, 14, 14, 14, 14, 15];

const NETWORK_NAMES = {
  x: 'an X',
  linkedin: 'a LinkedIn',
  reddit: 'a Reddit',
  discord: 'a Discord',
} as const;

/** The reasons why touchpoints are left out, as text. */
const REASONS: Record<keyof Explanation['left_out_counts'], string> = {
  voided: 'voided by the sender',
  after_conversion: 'happened after the purchase',
  outside_lookback: 'before the lookback window of the goal',
  used_by_previous: 'belongs to an earlier purchase',
  kind_without_credit: 'page views and product events earn no credit',
  filtered: 'excluded by the filter',
  other_person_of_account: 'by another person of the company',
};

/** How interesting a purchase is: it began with a conversation, has many channels, and leaves something out. */
export function tellingness({ considered, left_out_counts, conversion }: Explanation): number {
  const isReadable = considered.length >= TOUCHES.min && considered.length <= TOUCHES.max;
  if (!isReadable || !conversion.counted) return 0;
  const kinds = new Set<string>(considered.map(({ kind }) => kind));
  const channels = new Set(considered.map(({ channel }) => channel));
  const hasConversation = kinds.has('reply') && isNetwork(considered[0]?.channel);
  const meetings = ['demo', 'call'].filter((kind) => kinds.has(kind)).length;
  const reasons = Object.keys(left_out_counts).length;
  return 3 * channels.size + (hasConversation ? 8 : 0) + 2 * meetings + 2 * reasons;
}

/** The identities of the person of a journey: `an X handle, a browser and an e-mail address`. */
export function identitiesOf({ considered }: Explanation): string {
  const names = considered.map(({ kind, channel }) => {
    if (isNetwork(channel)) return `${NETWORK_NAMES[channel]} handle`;
    return kind === 'visit' ? 'a browser' : 'an e-mail address';
  });
  return new Intl.ListFormat('en').format(new Set(names));
}

function isNetwork(channel: string | undefined): channel is Network {
  return NETWORKS.some((network) => network === channel);
}

/** The journey of a purchase, oldest first: the weight and credit of each touchpoint, and the touchpoints left out. */
export function explanationLines(explanation: Explanation, paint: Paint): string[] {
  const { considered } = explanation;
  const sums = DEMO_MODELS.map((model) => {
    const weight = considered.reduce((sum, { weights }) => sum + (weights[model] ?? 0), 0);
    const credit = considered.reduce((sum, { credits }) => sum + (credits[model] ?? 0), 0);
    return cell(weight, credit);
  });
  return [
    row(['age', 'touchpoint', ...DEMO_MODELS], WIDTHS, 2),
    rule(WIDTHS, paint),
    ...considered.map(({ age_seconds, kind, channel, weights, credits }) => {
      const cells = DEMO_MODELS.map((model) => cell(weights[model] ?? 0, credits[model] ?? 0));
      return row([age(age_seconds), kind === channel ? kind : `${kind} ${channel}`, ...cells], WIDTHS, 2);
    }),
    rule(WIDTHS, paint),
    paint('bold', row(['', 'sum', ...sums], WIDTHS, 2)),
    '',
    ...leftOutLines(explanation, paint),
  ];
}

function leftOutLines({ left_out_counts }: Explanation, paint: Paint): string[] {
  const entries = Object.entries(left_out_counts) as [keyof typeof REASONS, number][];
  return entries.map(([reason, touchpoints]) =>
    paint('dim', `${count(touchpoints).padStart(3)} left out  ${reason.padEnd(20)} ${REASONS[reason]}`),
  );
}

/** Share and credit: ` 40%   475.20`. */
function cell(weight: number, credit: number): string {
  return weight === 0 ? '–' : `${percent(weight)} ${money(credit).padStart(8)}`;
}

function percent(weight: number): string {
  if (weight > 0 && weight < 0.005) return '<1%';
  return `${Math.round(weight * 100)}%`;
}

/** `82 d`, `5 h`, `<1 h`. */
function age(seconds: number): string {
  if (seconds >= DAY_SECONDS) return `${Math.floor(seconds / DAY_SECONDS)} d`;
  if (seconds >= HOUR_SECONDS) return `${Math.floor(seconds / HOUR_SECONDS)} h`;
  return '<1 h';
}
