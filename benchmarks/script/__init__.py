"""The same job as a script that is written once and thrown away: the least that anybody has to do."""
