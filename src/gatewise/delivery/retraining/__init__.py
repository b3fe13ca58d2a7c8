"""`gatewise retrain`: from new data to a defended champion, in steps that can be run alone.

`arrivals` sees new files, `params` changes the number of seeds, `steps` are the steps, `preview`
says what they would do, `champions` moves champions, `report` writes what people read.
"""
