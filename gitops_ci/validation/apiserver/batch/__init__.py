"""Rules of batch: Job and CronJob."""
