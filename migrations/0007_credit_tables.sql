CREATE TABLE "credit_cells" (
	"workspace_id" uuid NOT NULL,
	"question_id" uuid NOT NULL,
	"is_month" boolean NOT NULL,
	"day" date NOT NULL,
	"currency" text NOT NULL,
	"number" integer NOT NULL,
	"dimensions" text[] NOT NULL,
	"group_hash" bigint NOT NULL,
	"influenced" integer NOT NULL,
	"assisted" integer NOT NULL,
	"new_touches" integer NOT NULL,
	"repeat_gaps" smallint[] NOT NULL,
	"repeat_touches" integer[] NOT NULL,
	"credits" double precision[] NOT NULL,
	"credited_values" double precision[] NOT NULL,
	CONSTRAINT "credit_cells_workspace_id_question_id_is_month_day_currency_number_pk" PRIMARY KEY("workspace_id","question_id","is_month","day","currency","number")
);
--> statement-breakpoint
CREATE TABLE "credit_days" (
	"workspace_id" uuid NOT NULL,
	"question_id" uuid NOT NULL,
	"day" date NOT NULL,
	"horizon" "pg_snapshot" NOT NULL,
	"settings" text NOT NULL,
	"settled_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "credit_days_workspace_id_question_id_day_pk" PRIMARY KEY("workspace_id","question_id","day")
);
--> statement-breakpoint
CREATE TABLE "credit_horizons" (
	"workspace_id" uuid NOT NULL,
	"horizon" "pg_snapshot",
	"next_horizon" "pg_snapshot",
	"written_by" "xid8" NOT NULL,
	CONSTRAINT "credit_horizons_workspace_id_pk" PRIMARY KEY("workspace_id")
);
--> statement-breakpoint
CREATE TABLE "credit_marks" (
	"workspace_id" uuid NOT NULL,
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "credit_marks_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"goal" text collate "C" NOT NULL,
	"from_at" timestamp (3) with time zone NOT NULL,
	"until_at" timestamp (3) with time zone NOT NULL,
	"conversion_id" text collate "C",
	"is_added" boolean NOT NULL,
	"made_by" "xid8" NOT NULL,
	CONSTRAINT "credit_marks_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "credit_months" (
	"workspace_id" uuid NOT NULL,
	"question_id" uuid NOT NULL,
	"month" date NOT NULL,
	"currency" text NOT NULL,
	"rates" text NOT NULL,
	CONSTRAINT "credit_months_workspace_id_question_id_month_pk" PRIMARY KEY("workspace_id","question_id","month")
);
--> statement-breakpoint
CREATE TABLE "credit_questions" (
	"workspace_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"question" jsonb NOT NULL,
	"goals" text[] NOT NULL,
	"timezone" text NOT NULL,
	"since" date NOT NULL,
	"asked_on" date NOT NULL,
	"asked" integer DEFAULT 1 NOT NULL,
	"kept_at" timestamp (3) with time zone,
	"noticed_by" "xid8",
	"usable_from" "xid8",
	"cells" integer DEFAULT 0 NOT NULL,
	"refused_at" timestamp (3) with time zone,
	CONSTRAINT "credit_questions_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "credit_totals" (
	"workspace_id" uuid NOT NULL,
	"question_id" uuid NOT NULL,
	"day" date NOT NULL,
	"currency" text NOT NULL,
	"conversions" integer NOT NULL,
	"gross_conversions" integer NOT NULL,
	"attributed" integer NOT NULL,
	"valued" integer NOT NULL,
	"net" numeric NOT NULL,
	"gross" numeric NOT NULL,
	"attributed_net" numeric NOT NULL,
	CONSTRAINT "credit_totals_workspace_id_question_id_day_currency_pk" PRIMARY KEY("workspace_id","question_id","day","currency")
);
--> statement-breakpoint
ALTER TABLE "credit_cells" ADD CONSTRAINT "credit_cells_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "credit_days" ADD CONSTRAINT "credit_days_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "credit_horizons" ADD CONSTRAINT "credit_horizons_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "credit_months" ADD CONSTRAINT "credit_months_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "credit_questions" ADD CONSTRAINT "credit_questions_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "credit_totals" ADD CONSTRAINT "credit_totals_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "credit_marks_conversion" ON "credit_marks" USING btree ("workspace_id","conversion_id");