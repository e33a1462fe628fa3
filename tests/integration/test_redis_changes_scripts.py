"""The scripts about changes, on the double in memory and on a real server, which must agree."""




NAME = "sidecar:{tag}:changes"
SECOND = 1_000_000  # microseconds
ONLY = "~sidecar:* resetchannels -@all +ping +eval +evalsha +get +set +time"
