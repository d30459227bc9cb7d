"""Process configuration: environment variables `DATAMATE_<SECTION>__<FIELD>`, one frozen class per section."""
