-- without a transaction
CREATE INDEX CONCURRENTLY "adjustments_waiting" ON "adjustments" USING btree ("workspace_id","waiting_since") WHERE waiting_since is not null;
--> statement-breakpoint
CREATE INDEX CONCURRENTLY "conversions_from_page" ON "conversions" USING btree ("workspace_id","id") WHERE not from_secret_key;
--> statement-breakpoint
CREATE INDEX CONCURRENTLY "conversions_page_link" ON "conversions" USING btree ("workspace_id","page_link_id","occurred_at","id") WHERE page_link_id is not null;
--> statement-breakpoint
CREATE INDEX CONCURRENTLY "touchpoints_from_page" ON "touchpoints" USING btree ("workspace_id","id") WHERE not from_secret_key;
--> statement-breakpoint
CREATE INDEX CONCURRENTLY "touchpoints_page_link" ON "touchpoints" USING btree ("workspace_id","page_link_id","occurred_at","id") WHERE page_link_id is not null;
--> statement-breakpoint
CREATE INDEX CONCURRENTLY "identities_plain" ON "identities" USING btree ("workspace_id","id") WHERE value is not null;
--> statement-breakpoint
CREATE INDEX CONCURRENTLY "person_updates_from_page" ON "person_updates" USING btree ("workspace_id","id") WHERE not from_secret_key;
--> statement-breakpoint
CREATE INDEX CONCURRENTLY "person_updates_page_link" ON "person_updates" USING btree ("workspace_id","page_link_id","occurred_at","id") WHERE page_link_id is not null;
