ALTER TABLE "adjustments" ADD COLUMN "waiting_since" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "rejections" ADD COLUMN "item_digest" "bytea";--> statement-breakpoint
ALTER TABLE "rejections" ADD COLUMN "item_bytes" integer;--> statement-breakpoint
ALTER TABLE "rejections" ADD COLUMN "text_hashes" bigint[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "rejections" ADD COLUMN "key_id" text collate "C";--> statement-breakpoint
ALTER TABLE "rejections" ADD COLUMN "kept_on" date;--> statement-breakpoint
ALTER TABLE "identities" ADD COLUMN "text_hash" bigint;--> statement-breakpoint
CREATE INDEX "adjustments_waiting" ON "adjustments" USING btree ("workspace_id","waiting_since") WHERE waiting_since is not null;--> statement-breakpoint
CREATE INDEX "rejections_of_day" ON "rejections" USING btree ("workspace_id","key_id","kept_on");