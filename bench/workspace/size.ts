/** How much one workspace holds. All counts are numbers of rows. */
export interface WorkspaceSize {
  /** Ends the name of its database: `1m`. */
  name: string;
  /** Of everybody. Bursts have random sizes, so the number of rows differs by less than 0.1 %. */
  touchpoints: number;
  /** Of the people who may convert. All others belong to people without conversions. */
  touchpoints_of_buyers: number;
  purchases: number;
  /** In equal shares of two goals. */
  cultivations: number;
}

/** Three touchpoints a person, as in the reference data of a small company; people without any are known too. */
const TOUCHPOINTS_A_PERSON = 3;

export const DAYS = 425;
export const LOOKBACK_DAYS = 30;

/** The same conversions and buyers in each: only what the reports do not show grows. */
const BUYERS = { touchpoints_of_buyers: 1_000_000, purchases: 300_000, cultivations: 150_000 };

export const SIZES: readonly WorkspaceSize[] = [
  { name: '1m', touchpoints: 1_000_000, ...BUYERS },
  { name: '3m', touchpoints: 3_000_000, ...BUYERS },
  { name: '10m', touchpoints: 10_000_000, ...BUYERS },
];

/** For `--quick`: one workspace with a fortieth of the buyers. */
export const QUICK_SIZES: readonly WorkspaceSize[] = [
  {
    name: '200k',
    touchpoints: 200_000,
    touchpoints_of_buyers: 25_000,
    purchases: 7500,
    cultivations: 3750,
  },
];

/** Numbers of people, who are numbered from 0: buyers come first. */
export function peopleOf({ touchpoints, touchpoints_of_buyers }: WorkspaceSize) {
  return {
    people: Math.ceil(touchpoints / TOUCHPOINTS_A_PERSON),
    buyers: Math.ceil(touchpoints_of_buyers / TOUCHPOINTS_A_PERSON),
  };
}
