DROP INDEX "touchpoints_kind";--> statement-breakpoint
CREATE INDEX "touchpoints_kind" ON "touchpoints" USING btree ("workspace_id","kind","occurred_at","person_id","id","voided_at");