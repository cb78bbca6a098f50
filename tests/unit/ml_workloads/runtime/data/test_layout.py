"""A prefix is read completely or rejected: every object below it is a part, or is known to hold no rows."""

import pytest

from ml_workloads.runtime.data import DataError, layout
from ml_workloads.runtime.data.layout import Listed, partition, tables


def listed(*paths: str, size: int = 10) -> list[Listed]:
    return [Listed(key=f"churn/{path}", size=size, etag="e") for path in paths]


def parts(*found: Listed) -> list[str]:
    return [each.key.removeprefix("churn/") for each in tables("s3://lake/churn/", "churn/", found)]


def test_parts_are_read_in_the_order_of_their_keys_whatever_the_case_of_their_endings():
    names = ["2024-03.CSV", "2024-01.csv", "2024-02.csv.gz", "a/b/2024.Parquet", "c.csv.BZ2", "d.csv.zst", "e.csv.xz"]
    assert parts(*listed(*names)) == sorted(names)


def test_where_no_part_is_there_yet_a_look_finds_nothing_and_a_training_is_refused():
    left = listed("_SUCCESS", "part-0.crc", ".gitkeep")
    assert layout.parts("s3://lake/churn/", "churn/", left) == ()
    with pytest.raises(DataError, match=r"no \.csv, .* object is there; upload the data"):
        parts(*left)


@pytest.mark.parametrize(
    "path",
    [
        *("_SUCCESS", "year=2023/_SUCCESS", "_metadata", "_common_metadata", "_committed_7", "_started_7"),
        *(".part-0.parquet.crc", "part-0.crc", ".DS_Store", ".gitkeep"),
    ],
)
def test_what_spark_hadoop_and_desktops_leave_behind_holds_no_rows(path: str):
    assert parts(*listed("a.csv", path)) == ["a.csv"]


@pytest.mark.parametrize("path", ["", "2024/", "2024_$folder$"])
def test_an_empty_marker_of_a_folder_is_passed_over_and_one_with_content_is_not(path: str):
    assert parts(*listed("a.csv"), *listed(path, size=0)) == ["a.csv"]
    with pytest.raises(DataError, match="1 of 2 objects are no parts of a table"):
        parts(*listed("a.csv"), *listed(path, size=1))


@pytest.mark.parametrize(
    "path",
    [
        *(
            "2024-02.csv.zip",
            "2024-02.csv.lz4",
            "notes.txt",
            "2024.parquet.tmp",
            "2024.xlsx",
            "table.tsv",
            "part-00000",
        ),
        *(
            "_2024.csv",
            ".2024.parquet",
            "_SUCCESS/a.csv",
            "_old/2024.csv",
            "2024.csv/",
            "2024.csv.",
            "data.json",
            "a.gz",
        ),
    ],
)
def test_every_other_object_is_named_with_the_fix(path: str):
    with pytest.raises(DataError, match="1 of 2 objects are no parts of a table: ") as refused:
        parts(*listed("a.csv", path))
    assert path in str(refused.value)
    assert ".csv, .csv.gz, .csv.bz2, .csv.xz, .csv.zst or .parquet, or move it" in str(refused.value)


def test_at_most_five_objects_are_named_and_the_others_counted():
    with pytest.raises(DataError) as refused:
        parts(*listed("a.csv", *(f"{number}.txt" for number in range(8))))
    assert "8 of 9 objects are no parts of a table: 0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 3 more;" in str(refused.value)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("_delta_log/00000000000000000000.json", "a Delta table"),
        ("sales/_delta_log/0.checkpoint.parquet", "a Delta table"),
        (".hoodie/hoodie.properties", "a Hudi table"),
        ("metadata/v1.metadata.json", "an Iceberg table"),
        ("sales/metadata/00001-abc.metadata.json", "an Iceberg table"),
        ("_spark_metadata/0", "the output of a Spark stream"),
        ("_temporary/0/part-0.parquet", "a job that has not finished writing"),
    ],
)
def test_a_table_whose_files_do_not_all_count_is_refused_in_words(path: str, kind: str):
    with pytest.raises(DataError, match=kind):
        parts(*listed("part-0.parquet", path))


def test_nothing_and_too_much_are_told():
    with pytest.raises(
        DataError, match=r"s3://lake/churn/: no \.csv, .* or \.parquet object is there; upload the data"
    ):
        parts(*listed("_SUCCESS"))
    with pytest.raises(DataError, match="1001 objects; put them together into at most 1000"):
        parts(*listed(*(f"{number}.csv" for number in range(1001))))


def test_columns_that_stand_in_the_path_are_those_of_its_folders():
    assert partition("year=2023/region=EU%20West/part=0.parquet") == {"year": "2023", "region": "EU West"}
    assert partition("2023/year=__HIVE_DEFAULT_PARTITION__/a.csv") == {"year": None}
    assert partition("2023/a.csv") == {}
    assert partition("formula=a=b/a.csv") == {"formula": "a=b"}


@pytest.mark.parametrize("path", ["year=/a.csv", "=2023/a.csv", "year=1/year=2/a.csv"])
def test_a_folder_that_names_no_column_or_one_twice_is_refused(path: str):
    with pytest.raises(DataError, match="names no partition; write column=value"):
        partition(path)
