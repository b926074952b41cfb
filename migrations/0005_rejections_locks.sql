grant update (waiting_since) on adjustments to throughline_upkeep;
