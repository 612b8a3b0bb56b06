"""What a person looks at: figures and the one-file HTML report.

`famaug.report.page.write_report` makes the page; the values it takes are in
`famaug.report.values`. Everything here works on plain pictures and AU tracks, without any model.
"""
