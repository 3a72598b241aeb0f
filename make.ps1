# The Makefile's commands for Windows PowerShell: .\make.ps1 run | test | check | install | pictures
# Where scripts are not allowed: powershell -ExecutionPolicy Bypass -File make.ps1 run
param([ValidateSet("run", "test", "check", "install", "pictures")][string]$Task = "run")

$ErrorActionPreference = "Stop"
Set-Location $PSScriptRoot
$Python = ".venv\Scripts\python.exe"
$Extras = @{ run = ""; test = "[test]"; pictures = "[test]"; check = "[zoo,onnx,test,dev]"; install = "[zoo,onnx,test,dev]" }
# What an environment that was made for one task is good for besides.
$Stamps = @{ run = @("run"); test = @("run", "test"); check = @("run", "test", "check", "install") }
$Stamps["install"] = $Stamps["check"]
$Stamps["pictures"] = $Stamps["test"] + "pictures"

function Invoke-Step {
    $Program, $Rest = $args
    & $Program @Rest
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
}

function Find-Python {
    $ErrorActionPreference = "Continue"  # what a missing version writes to standard error is no failure of ours
    foreach ($Candidate in @("python", "py -3.13", "py -3.12", "py -3.11", "python3")) {
        $Program, $Rest = $Candidate.Split(" ")
        if (-not (Get-Command $Program -ErrorAction SilentlyContinue)) { continue }
        & $Program @Rest -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>$null
        if ($LASTEXITCODE -eq 0) { return $Candidate }
    }
    throw "segviz needs Python 3.11 or newer, and found none: https://www.python.org/downloads/"
}

$Stamp = ".venv\.made-$Task"
$Newest = (Get-Item pyproject.toml, constraints.txt | Sort-Object LastWriteTime)[-1].LastWriteTime
if (-not (Test-Path $Stamp) -or (Get-Item $Stamp).LastWriteTime -lt $Newest) {
    if (-not (Test-Path $Python)) {
        $Program, $Rest = (Find-Python).Split(" ")
        Invoke-Step $Program @Rest -m venv .venv
    }
    Write-Host "Installing segviz and what it needs (the first time takes a few minutes) ..."
    $Install = @("-m", "pip", "--disable-pip-version-check", "install", "--quiet", "-c", "constraints.txt")
    Invoke-Step $Python @Install hatchling editables
    Invoke-Step $Python @Install --no-build-isolation -e ".$($Extras[$Task])"
    foreach ($Name in $Stamps[$Task]) { Set-Content ".venv\.made-$Name" "" }
}

if ($Task -eq "check") {
    Invoke-Step $Python -m ruff check
    Invoke-Step $Python -m ruff format --check
    Invoke-Step $Python -m mypy
}
if ($Task -in "test", "check") {
    $env:QT_QPA_PLATFORM = "offscreen"
    $env:OMP_NUM_THREADS = "1"
    Invoke-Step $Python -m pytest -n auto --dist loadfile
}
if ($Task -eq "pictures") {
    $env:QT_QPA_PLATFORM = "offscreen"
    Invoke-Step $Python docs\pictures.py
    Invoke-Step $Python -m tests.gui.render_states build\pictures
    Write-Host "The window in every state is in build\pictures"
}
if ($Task -eq "run") {
    Invoke-Step $Python -m segviz
}
