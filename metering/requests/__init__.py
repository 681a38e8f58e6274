"""On-demand reads (召测): a row and a NOTIFY, answered by the owner of the link."""
