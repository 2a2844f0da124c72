FLASK_APP=campaign.cli:create_app
