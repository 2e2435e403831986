"""Pages that need no sign-in."""

from django.urls import path

from sanjeevani.web.public import board, figures, timetable, views

app_name = "public"

_BOARD = "board/<int:state_id>/<uuid:facility_id>"

urlpatterns = [
    path("", views.landing, name="landing"),
    path("emergency", views.emergency, name="emergency"),
    path("how-to-use", views.how_to_use, name="how-to-use"),
    path("timetable", timetable.timetable, name="timetable"),
    path("figures", figures.figures, name="figures"),
    path("figures/earlier", figures.earlier, name="earlier"),
    path("figures/daily.csv", figures.daily_csv, name="daily-csv"),
    path("figures/figures.json", figures.figures_json, name="figures-json"),
    path("figures/earlier.csv", figures.earlier_csv, name="earlier-csv"),
    path(_BOARD, board.board, name="board"),
    path(f"{_BOARD}/lines", board.lines, name="board-lines"),
    path(f"{_BOARD}/ticket", board.ticket, name="board-ticket"),
    path(".well-known/prescription-keys.json", views.prescription_keys, name="prescription-keys"),
]
