import * as z from 'zod';
import { WEEKDAYS } from '../domain/business-hours.ts';
import { TimeZone } from '../http/fields.ts';

const MAX_HOLIDAYS = 1000;

const time = (pattern: RegExp, example: string) =>
  z.string().regex(pattern, `Send a time of day, such as ${example}`).meta({ example });

const OpenHours = z
  .strictObject({
    from: time(/^([01]\d|2[0-3]):[0-5]\d$/, '09:00'),
    to: time(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, '17:30'),
  })
  .refine(({ from, to }) => from < to, { path: ['to'], message: '`to` must be later in the day than `from`' })
  .optional();

export const BusinessHours = z
  .strictObject({
    timezone: TimeZone.optional().meta({
      description: "The time zone of days and hours. Defaults to the workspace's.",
    }),
    days: z
      .strictObject(
        Object.fromEntries(WEEKDAYS.map((day) => [day, OpenHours])) as Record<
          (typeof WEEKDAYS)[number],
          typeof OpenHours
        >,
      )
      .refine((days) => Object.keys(days).length > 0, {
        message: `Name at least one of ${WEEKDAYS.join(', ')}`,
      })
      .meta({ description: 'A day that is left out is closed. `24:00` is the end of the day.' }),
    holidays: z
      .array(
        z.iso
          .date('Send a date, such as 2026-12-25')
          .refine((date) => date >= '1970', { message: 'Send a date after the year 1969' }),
      )
      .max(MAX_HOLIDAYS)
      .default([])
      .meta({ description: 'Closed days.', example: ['2026-12-25'] }),
  })
  .nullable()
  .meta({
    id: 'BusinessHours',
    description:
      'Opening hours of the team. If they are set, response times are also reported in business hours. If they are null, every hour counts.',
  });
