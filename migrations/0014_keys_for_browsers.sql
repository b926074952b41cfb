ALTER TABLE "keys" ADD COLUMN "allowed_origins" text[];--> statement-breakpoint
ALTER TABLE "keys" ADD COLUMN "last_used_on" date;--> statement-breakpoint
ALTER TABLE "workspaces" ADD COLUMN "trust_publishable_values" boolean DEFAULT false NOT NULL;