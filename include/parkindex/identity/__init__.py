"""Who is who and who is where: names to enterprises, points to parks, per run."""
