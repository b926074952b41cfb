import { getAccountOperation } from './accounts/get-account.ts';
import { getAccountTimeline } from './accounts/get-account-timeline.ts';
import { listAccountsOperation } from './accounts/list-accounts.ts';
import { putAccountOperation } from './accounts/put-account.ts';
import { getAdvocacy } from './advocacy/get-advocacy.ts';
import { getAttribution } from './attribution/get-attribution.ts';
import { getExplanation } from './attribution/get-explanation.ts';
import { listAuditOperation } from './audit/list-audit.ts';
import { getConversationOperation } from './conversations/get-conversation.ts';
import { getConversationReport } from './conversations/get-conversation-report.ts';
import { listConversationsOperation } from './conversations/list-conversations.ts';
import { getConversionOperation } from './conversions/get-conversion.ts';
import { listAdjustmentsOperation } from './conversions/list-adjustments.ts';
import { listConversionsOperation } from './conversions/list-conversions.ts';
import { adjustmentIngest, recordAdjustment } from './conversions/record-adjustment.ts';
import { conversionIngest, recordConversions } from './conversions/record-conversions.ts';
import { getCultivation } from './cultivation/get-cultivation.ts';
import { deleteFunnelOperation } from './funnels/delete-funnel.ts';
import { getFunnelOperation } from './funnels/get-funnel.ts';
import { getFunnelReport } from './funnels/get-funnel-report.ts';
import { getSavedFunnelReport } from './funnels/get-saved-funnel-report.ts';
import { listFunnelPeople } from './funnels/list-funnel-people.ts';
import { listFunnelsOperation } from './funnels/list-funnels.ts';
import { putFunnelOperation } from './funnels/put-funnel.ts';
import { listFxRatesOperation } from './fx-rates/list-fx-rates.ts';
import { putFxRatesOperation } from './fx-rates/put-fx-rates.ts';
import { archiveGoalOperation } from './goals/archive-goal.ts';
import { getGoalOperation } from './goals/get-goal.ts';
import { listGoalsOperation } from './goals/list-goals.ts';
import { putGoalOperation } from './goals/put-goal.ts';
import { getHealth } from './health/get-health.ts';
import { getReady } from './health/get-ready.ts';
import type { AnyOperation } from './http/operation.ts';
import { recordBatch } from './ingest/record-batch.ts';
import { getJourneys } from './journeys/get-journeys.ts';
import { getLifecycle } from './lifecycle/get-lifecycle.ts';
import { getOverview } from './overview/get-overview.ts';
import { erasePersonOperation } from './people/erase-person.ts';
import { exportPersonOperation } from './people/export-person.ts';
import { getPersonOperation } from './people/get-person.ts';
import { getTimelineOperation } from './people/get-timeline.ts';
import { lookupPersonByQuery, lookupPersonOperation } from './people/lookup-person.ts';
import { personIngest, recordPeople } from './people/record-people.ts';
import { unlinkPerson } from './people/unlink-person.ts';
import { listRejectionsOperation } from './rejections/list-rejections.ts';
import { type Recorders, replayRejection } from './rejections/replay-rejection.ts';
import { getRoi } from './roi/get-roi.ts';
import { getSpendOperation } from './spend/get-spend.ts';
import { listSpendOperation } from './spend/list-spend.ts';
import { recordSpend, spendIngest } from './spend/record-spend.ts';
import { createToken } from './tokens/create-token.ts';
import { getTouchpointOperation } from './touchpoints/get-touchpoint.ts';
import { listTouchpointsOperation } from './touchpoints/list-touchpoints.ts';
import { recordTouchpoints, touchpointIngest } from './touchpoints/record-touchpoints.ts';
import { voidTouchpointOperation } from './touchpoints/void-touchpoint.ts';
import { createKey, createKeyOfWorkspace } from './workspaces/create-key.ts';
import { createWorkspace } from './workspaces/create-workspace.ts';
import { deleteKeyOperation } from './workspaces/delete-key.ts';
import { deleteWorkspaceOperation } from './workspaces/delete-workspace.ts';
import { getWorkspaceOperation } from './workspaces/get-workspace.ts';
import { listKeysOperation } from './workspaces/list-keys.ts';
import { listWorkspacesOperation } from './workspaces/list-workspaces.ts';
import { rotateKeyOperation } from './workspaces/rotate-key.ts';
import { updateWorkspaceOperation } from './workspaces/update-workspace.ts';

const STORED = { dryRun: false } as const;

/** How items of each resource are stored, where they do not come in a request of their own. */
export const recorders: Recorders = {
  touchpoints: (items, context) => recordBatch(touchpointIngest, items, STORED, context),
  conversions: (items, context) => recordBatch(conversionIngest, items, STORED, context),
  people: (items, context) => recordBatch(personIngest, items, STORED, context),
  adjustments: (items, context) => recordBatch(adjustmentIngest, items, STORED, context),
  spend: (items, context) => recordBatch(spendIngest, items, STORED, context),
};

/** Every route, in the order of the document. */
export const operations: readonly AnyOperation[] = [
  recordTouchpoints,
  listTouchpointsOperation,
  getTouchpointOperation,
  voidTouchpointOperation,
  recordConversions,
  listConversionsOperation,
  getConversionOperation,
  recordAdjustment,
  listAdjustmentsOperation,
  recordSpend,
  listSpendOperation,
  getSpendOperation,
  putFxRatesOperation,
  listFxRatesOperation,
  recordPeople,
  unlinkPerson,
  exportPersonOperation,
  erasePersonOperation,
  lookupPersonOperation,
  lookupPersonByQuery,
  getPersonOperation,
  getTimelineOperation,
  putAccountOperation,
  listAccountsOperation,
  getAccountOperation,
  getAccountTimeline,
  listConversationsOperation,
  getConversationOperation,
  getAttribution,
  getExplanation,
  getFunnelReport,
  listFunnelPeople,
  getJourneys,
  getLifecycle,
  getRoi,
  getOverview,
  getConversationReport,
  getCultivation,
  getAdvocacy,
  putFunnelOperation,
  listFunnelsOperation,
  getFunnelOperation,
  deleteFunnelOperation,
  getSavedFunnelReport,
  putGoalOperation,
  listGoalsOperation,
  getGoalOperation,
  archiveGoalOperation,
  listRejectionsOperation,
  replayRejection(recorders),
  listAuditOperation,
  getWorkspaceOperation,
  updateWorkspaceOperation,
  createKey,
  listKeysOperation,
  rotateKeyOperation,
  deleteKeyOperation,
  createToken,
  createWorkspace,
  listWorkspacesOperation,
  deleteWorkspaceOperation,
  createKeyOfWorkspace,
  getHealth,
  getReady,
];
