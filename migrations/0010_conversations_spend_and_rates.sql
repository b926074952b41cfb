CREATE TABLE "conversations" (
	"workspace_id" uuid NOT NULL,
	"id" text collate "C" NOT NULL,
	"opened_at" timestamp (3) with time zone,
	"opening_id" text collate "C",
	"first_response_at" timestamp (3) with time zone,
	"last_at" timestamp (3) with time zone NOT NULL,
	"last_direction" text NOT NULL,
	"inbound" integer NOT NULL,
	"outbound" integer NOT NULL,
	CONSTRAINT "conversations_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "fx_rates" (
	"workspace_id" uuid NOT NULL,
	"date" date NOT NULL,
	"from" text NOT NULL,
	"to" text NOT NULL,
	"rate" numeric NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "fx_rates_workspace_id_from_to_date_pk" PRIMARY KEY("workspace_id","from","to","date"),
	CONSTRAINT "fx_rates_rate" CHECK (rate > 0),
	CONSTRAINT "fx_rates_pair" CHECK ("from" <> "to")
);
--> statement-breakpoint
CREATE TABLE "spend" (
	"workspace_id" uuid NOT NULL,
	"id" text collate "C" NOT NULL,
	"from" date NOT NULL,
	"to" date NOT NULL,
	"channel" text,
	"source" text,
	"medium" text,
	"campaign" text,
	"amount" numeric NOT NULL,
	"currency" text NOT NULL,
	"content_hash" "bytea" NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"received_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "spend_workspace_id_id_pk" PRIMARY KEY("workspace_id","id"),
	CONSTRAINT "spend_amount" CHECK (amount >= 0),
	CONSTRAINT "spend_order" CHECK ("from" <= "to")
);
--> statement-breakpoint
CREATE TABLE "spend_history" (
	"workspace_id" uuid NOT NULL,
	"spend_id" text collate "C" NOT NULL,
	"version" integer NOT NULL,
	"replaced_at" timestamp (3) with time zone NOT NULL,
	"was" jsonb NOT NULL,
	CONSTRAINT "spend_history_workspace_id_spend_id_version_pk" PRIMARY KEY("workspace_id","spend_id","version")
);
--> statement-breakpoint
ALTER TABLE "workspaces" ADD COLUMN "business_hours" jsonb;--> statement-breakpoint
ALTER TABLE "workspaces" ADD COLUMN "default_model" text DEFAULT 'linear' NOT NULL;--> statement-breakpoint
ALTER TABLE "fx_rates" ADD CONSTRAINT "fx_rates_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "spend" ADD CONSTRAINT "spend_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "spend_history" ADD CONSTRAINT "spend_history_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "conversations_opened" ON "conversations" USING btree ("workspace_id","opened_at") WHERE opened_at is not null;--> statement-breakpoint
CREATE INDEX "conversations_last" ON "conversations" USING btree ("workspace_id","last_at","id");--> statement-breakpoint
CREATE INDEX "conversations_waiting" ON "conversations" USING btree ("workspace_id","last_at","id") WHERE last_direction = 'inbound';--> statement-breakpoint
CREATE INDEX "spend_days" ON "spend" USING btree ("workspace_id","to","from");--> statement-breakpoint
CREATE INDEX "spend_received" ON "spend" USING btree ("workspace_id","received_at","id");--> statement-breakpoint
CREATE INDEX "spend_updated" ON "spend" USING btree ("workspace_id","updated_at");